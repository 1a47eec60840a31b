"""The openai client for Python, unchanged but for base_url: create, retrieve and cancel as ever, and the cancel holds."""

import os
import sys
import time

from openai import OpenAI

base_url = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:3000/v1"
client = OpenAI(base_url=base_url, api_key=os.environ.get("HEADSTONE_API_KEY", "any"))

report = client.responses.create(model="gpt-5.5", input="Write a report on tides", background=True)
while report.status in ("queued", "in_progress"):
    time.sleep(0.2)
    report = client.responses.retrieve(report.id)
print(f"report: {report.status}")

unwanted = client.responses.create(model="gpt-5.5", input="Something else", background=True)
client.responses.cancel(unwanted.id, extra_body={"reason": "wrong prompt", "actor": "alice"})
# The provider may complete it nevertheless, but nobody who reads it here sees that.
print(f"unwanted: {client.responses.retrieve(unwanted.id).status}")
