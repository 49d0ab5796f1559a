"""Signature Version 4 for requests to ECR's API, for clients that aren't this project's program.

Source: AWS General Reference, "Signature Version 4 signing process".
"""

import datetime
import hashlib
import hmac
import urllib.parse


def signed(url, operation, body, region, variables):
    """The header fields of a request to the API.

    - url: the endpoint, without a path.
    - variables: has the keys, as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.
    """
    now = datetime.datetime.now(datetime.timezone.utc)
    time, day = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d")
    fields = {
        "content-type": "application/x-amz-json-1.1",
        "host": urllib.parse.urlsplit(url).netloc,
        "x-amz-date": time,
        "x-amz-target": f"AmazonEC2ContainerRegistry_V20150921.{operation}",
    }
    names = ";".join(fields)
    lines = "".join(f"{name}:{value}\n" for name, value in fields.items())
    request = f"POST\n/\n\n{lines}\n{names}\n{hashlib.sha256(body).hexdigest()}"
    scope = f"{day}/{region}/ecr/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{time}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    key = f"AWS4{variables['AWS_SECRET_ACCESS_KEY']}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.new(key, text.encode(), "sha256").hexdigest()
    credential = f"{variables['AWS_ACCESS_KEY_ID']}/{scope}"
    fields["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={names}, Signature={signature}"
    )
    return fields
