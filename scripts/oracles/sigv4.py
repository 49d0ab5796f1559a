"""Prints 200 requests from a seeded generator, each with botocore's signature, as one JSON array.

The requests have content that a signer can get wrong: repeated keys, values that are empty or not ASCII, characters that
are encoded once or twice, white space in header values, headers that are not signed, ports, tokens.
"""

import datetime
import json
import random
import urllib.parse

import botocore.auth
import botocore.awsrequest
import botocore.credentials

COUNT = 200
generator = random.Random(20260115)
texts = ["a", "A", "b", "key", "Key", "", "a b", "a+b", "a/b", "a%2Fb", "ä", "ключ", "日本", "~-._", "=", "&", "*", "'()!",
         "x,y", ":@$", "%", "🦊", "0", "00", "a\tb"]


def some(low, high):
    return range(generator.randint(low, high))


def text():
    return "".join(generator.choice(texts) for _ in some(0, 3))


def path():
    segment = lambda: generator.choice(["a", "v2", "team%2Fapp", "%E2%82%AC", ".", "..", "", "x:y", "~u", "a%20b", "é", "*"])
    joined = "/" + "/".join(segment() for _ in some(0, 5))
    # As in the request, so with ASCII bytes only.
    return urllib.parse.quote(joined, safe="/%:~*")


def header_value():
    words = [generator.choice(["a", "b,c", "\"q  q\"", "1", "x=y", "application/json;", "e"]) for _ in some(1, 4)]
    value = words[0]
    for word in words[1:]:
        value += generator.choice([" ", "  ", "\t", " \t  "]) + word
    return value


def request():
    host = generator.choice(["api.ecr.us-east-1.amazonaws.com", "STS.eu-west-1.amazonaws.com", "127.0.0.1", "[::1]"])
    scheme = generator.choice(["https", "http"])
    port = generator.choice(["", ":443", ":80", ":4566", ":8443"])
    query = [(text(), text()) for _ in some(0, 5)]
    query += [(name, text()) for name, _ in query if generator.random() < 0.3]
    generator.shuffle(query)
    names = ["Content-Type", "X-Amz-Target", "X-Custom", "x-lower", "X-CUSTOM", "Accept", "User-Agent", "Expect",
             "X-Amzn-Trace-Id", "Connection", "Range", "Amz-Sdk-Request"]
    headers = [[generator.choice(names), header_value()] for _ in some(0, 6)]
    body = generator.choice(["", "{}", "Action=AssumeRole&Version=2011-06-15", "\x00\x01ä", text() * 50])
    token = generator.choice([None, None, "IQoJb3JpZ2luX2VjE==", "t" * 900, "a/b+c="])
    return {
        "method": generator.choice(["GET", "POST", "PUT", "DELETE", "HEAD", "PATCH"]),
        "address": f"{scheme}://{host}{port}{path()}",
        "query": query,
        "headers": headers,
        "body": body,
        "keyID": generator.choice(["AKIDEXAMPLE", "ASIAEXAMPLE", "111122223333"]),
        "secret": generator.choice(["wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "s", "ä secret"]),
        "token": token,
        "region": generator.choice(["us-east-1", "cn-north-1", "eusc-de-east-1"]),
        "service": generator.choice(["ecr", "sts", "execute-api"]),
        "second": generator.randint(0, 4_000_000_000),
    }


def sign(given):
    moment = datetime.datetime.fromtimestamp(given["second"], datetime.timezone.utc)
    botocore.auth.get_current_datetime = lambda *_, **__: moment
    signed = botocore.awsrequest.AWSRequest(
        method=given["method"], url=given["address"], data=given["body"].encode(), params=given["query"])
    for name, value in given["headers"]:
        signed.headers.add_header(name, value)
    keys = botocore.credentials.Credentials(given["keyID"], given["secret"], given["token"])
    botocore.auth.SigV4Auth(keys, given["service"], given["region"]).add_auth(signed)
    encoded = "&".join(f"{urllib.parse.quote(n, safe='-_.~')}={urllib.parse.quote(v, safe='-_.~')}"
                       for n, v in given.pop("query"))
    given["address"] += f"?{encoded}" if encoded else ""
    given["authorization"] = signed.headers["Authorization"]
    return given


print(json.dumps([sign(request()) for _ in range(COUNT)]))
