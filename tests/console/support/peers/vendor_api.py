"""The vendor's own client, unmodified: calls its methods in the order that a test gives, and prints what each gave."""

import json
import sys

from prismacloud.api import pc_api

sent = json.load(sys.stdin)
pc_api.configure(sent["settings"])
given = []
for name, *arguments in sent["calls"]:
    try:
        given.append({"gave": getattr(pc_api, name)(*arguments)})
    except SystemExit as refused:
        given.append({"refused": str(refused)})
json.dump(given, sys.stdout)
