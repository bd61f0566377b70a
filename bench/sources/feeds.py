"""What feedparser itself reads in the feeds of its own tests, as JSON: the measure for `feeds.mjs`."""
import json
import os
import re
import sys

import feedparser

HEADER = re.compile(rb"^Header:\s+([^:]+):(.+)$", re.MULTILINE)
found = []
for folder, _, names in os.walk(sys.argv[1]):
    for name in sorted(names):
        if not name.endswith(".xml"):
            continue
        file = os.path.join(folder, name)
        with open(file, "rb") as opened:
            data = opened.read()
        headers = {
            key.decode("latin1").lower().strip(): value.decode("latin1").strip()
            for key, value in HEADER.findall(data)
        }
        headers.setdefault("content-type", "application/xml")
        try:
            read = feedparser.parse(data, response_headers=headers)
        except Exception as error:
            found.append({"file": file, "type": headers["content-type"], "error": repr(error), "entries": []})
            continue
        entries = [
            {
                "id": entry.get("id"),
                "link": entry.get("link"),
                "title": entry.get("title"),
                "rest": [entry.get("published"), entry.get("updated"), entry.get("summary")],
            }
            for entry in read.entries
        ]
        found.append({"file": file, "type": headers["content-type"], "error": None, "entries": entries})
json.dump(found, sys.stdout)
