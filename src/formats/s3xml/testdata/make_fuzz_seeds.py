#!/usr/bin/env python3
"""Seeds of s3xml_fuzz, out of what the clients sent: writes into the folder beside itself."""
import json
import pathlib

HERE = pathlib.Path(__file__).parent
SEEDS = {
    "requests_python.json": {
        "boto3": ["delete", "delete versions", "complete with checksums", "create bucket", "versioning with MFA", "cors", "lifecycle"],
        "s3cmd": ["expire", "expire at a date"]},
    "requests_java.json": {"aws-sdk-java": ["delete", "complete", "cors"]},
    "requests_go.json": {"minio-go": ["lifecycle"]},
}
folder = HERE / "s3xml_fuzz"
folder.mkdir(exist_ok=True)
for file, clients in SEEDS.items():
    for entry in json.loads((HERE / file).read_text()):
        if entry["statement"] in clients.get(entry["client"], []):
            name = f"{entry['client']}_{entry['statement']}".replace(" ", "_").replace("-", "_").lower()
            (folder / name).write_text(entry["body"], newline="")
