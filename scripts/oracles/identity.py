"""The caller and the region that botocore finds in shared files and variables, for each case of a JSON array.

The argument names the file with the array. Nothing is sent: requests are answered here, with names that show the request,
as in `IdentityOracleTests`.
"""

import json
import os
import re
import sys
import urllib.parse

import botocore.awsrequest
import botocore.credentials
import botocore.httpsession
import botocore.session
import botocore.tokens


class Answer:
    def __init__(self, body):
        self.body = body.encode()

    def stream(self, **_):
        yield self.body


def answer(request):
    url = urllib.parse.urlsplit(request.url)
    query = dict(urllib.parse.parse_qsl(url.query))
    if url.path == "/federation/credentials":
        token = request.headers["x-amz-sso_bearer_token"]
        token = token.decode() if isinstance(token, bytes) else token
        key = f"{token}>{query['account_id']}/{query['role_name']}"
        return json.dumps({"roleCredentials": {
            "accessKeyId": key, "secretAccessKey": "s", "sessionToken": "sso", "expiration": 4102444800000}})
    body = request.body.decode() if isinstance(request.body, bytes) else request.body
    form = dict(urllib.parse.parse_qsl(body))
    action, role = form["Action"], form["RoleArn"].rsplit("/", 1)[1]
    if action == "AssumeRole":
        signed = request.headers["Authorization"]
        signed = signed.decode() if isinstance(signed, bytes) else signed
        key = re.search("Credential=([^/]*)/", signed)[1]
        key = f"{key}>{role}" + (f":{form['ExternalId']}" if "ExternalId" in form else "")
    else:
        key = f"{form['WebIdentityToken']}>{role}"
    name = form["RoleSessionName"]
    name = "usual" if name.startswith("botocore-session-") else name
    token = f"{name} {form.get('DurationSeconds', 'usual')}"
    account = form["RoleArn"].split(":")[4]
    return (f"<{action}Response><{action}Result><AssumedRoleUser><AssumedRoleId>A:s</AssumedRoleId>"
            f"<Arn>arn:aws:sts::{account}:assumed-role/{role}/s</Arn></AssumedRoleUser><Credentials>"
            f"<AccessKeyId>{key.replace('>', '&gt;')}</AccessKeyId><SecretAccessKey>s</SecretAccessKey>"
            f"<SessionToken>{token}</SessionToken><Expiration>2100-01-01T00:00:00Z</Expiration></Credentials>"
            f"</{action}Result></{action}Response>")


def send(_, request):
    return botocore.awsrequest.AWSResponse(request.url, 200, {}, Answer(answer(request)))


def outcome(case):
    os.environ.clear()
    os.environ.update(case["variables"], HOME=case["home"], AWS_EC2_METADATA_DISABLED="true", PATH="/usr/bin:/bin")
    # Both are made when the module is loaded, for the home at that time.
    cache = os.path.join(case["home"], ".aws", "sso", "cache")
    botocore.credentials.SSOProvider._SSO_TOKEN_CACHE_DIR = cache
    botocore.tokens.SSOTokenProvider._SSO_TOKEN_CACHE_DIR = cache
    found = {"key": "none", "secret": "", "token": "", "account": "", "region": ""}
    try:
        session = botocore.session.Session(profile=case.get("profile"))
        found["region"] = session.get_config_variable("region") or ""
        credentials = session.get_credentials()
        if credentials is not None:
            frozen = credentials.get_frozen_credentials()
            found.update(key=frozen.access_key, secret=frozen.secret_key, token=frozen.token or "",
                         account=getattr(frozen, "account_id", None) or "")
    except Exception as error:
        found.update(key="none", secret="", token="", account="", region="")
        found["why"] = f"{type(error).__name__}: {error}"
    return found


botocore.httpsession.URLLib3Session.send = send
with open(sys.argv[1], encoding="utf-8") as file:
    print(json.dumps([outcome(case) for case in json.load(file)]))
