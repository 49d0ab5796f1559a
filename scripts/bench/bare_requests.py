"""Sends the requests of a plan over many repositories to the emulator and discards the answers.

    python3 -ISB bare_requests.py REPOSITORIES REGION REGION

DescribeImages for each repository in each region, 16 at a time, over connections that stay open: what a plan must ask,
without reading, comparing or printing anything. The endpoint and the keys are in the environment.
"""

import http.client
import json
import os
import sys
import threading
import urllib.parse

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import signing  # noqa: E402

CONNECTIONS = 16

count, regions = int(sys.argv[1]), sys.argv[2:]
url = os.environ["AWS_ENDPOINT_URL_ECR"]
waiting = [(f"team/app{number}", region) for number in range(count) for region in regions]
failures = []


def ask():
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc, timeout=60)
    while waiting and not failures:
        try:
            name, region = waiting.pop()
        except IndexError:
            return
        body = json.dumps({"repositoryName": name, "maxResults": 1000}).encode()
        connection.request("POST", "/", body, signing.signed(url, "DescribeImages", body, region, os.environ))
        answer = connection.getresponse()
        text = answer.read()
        if answer.status != 200:
            failures.append(text)


threads = [threading.Thread(target=ask) for _ in range(CONNECTIONS)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
if failures:
    sys.exit(failures[0].decode(errors="replace"))
