"""src/readers/testdata/spark_verdicts.json: what two Sparks say of the files of schemas.py. Run by test_verdicts.py.

{"spark": {"3": version, "4": version}, "texts": [columns as Spark writes them],
 "files": [{"schema", "row_metadata"?, "3": [text or null, how], "4": ...}],
 "pairs": [[a, b, [merged text or null, how a and b read under it, how b reads under the columns of a] of 3, the same of 4]]}
"""
import json
import pathlib
import subprocess

import schemas

HERE = pathlib.Path(__file__).parent
GOLDEN = HERE.parents[1] / "src" / "readers" / "testdata" / "spark_verdicts.json"


def ask(folder, pythons):
    """Writes the files into `folder` and asks the Spark of each {"3": python, "4": python}; the newer one writes its own files."""
    schemas.write_all(folder)
    answers = {}
    for version in sorted(pythons, reverse=True):
        path = folder / f"answers-{version}.json"
        flags = ["--write"] if not answers else []
        done = subprocess.run([pythons[version], str(HERE / "ask.py"), str(folder), str(path), *flags], capture_output=True, text=True,
                              timeout=5400, stdin=subprocess.DEVNULL)
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
        answers[version] = json.loads(path.read_text())
    return combine(json.loads((folder / "plan.json").read_text()), answers)


def combine(asked, answers):
    texts = []
    numbers = {None: None}

    def number(text):
        if text not in numbers:
            numbers[text] = len(texts)
            texts.append(text)
        return numbers[text]

    files = []
    for at, entry in enumerate(asked["files"]):
        told = {version: [number(answer["files"][at][0]), answer["files"][at][1]] for version, answer in sorted(answers.items())}
        files.append({key: entry[key] for key in ("schema", "row_metadata") if key in entry} | told)
    pairs = []
    for at, pair in enumerate(asked["pairs"]):
        pairs.append([*pair, *([number(answer["pairs"][at][0]), *answer["pairs"][at][1:]] for _, answer in sorted(answers.items()))])
    return {"spark": {version: answer["spark"] for version, answer in sorted(answers.items())}, "texts": texts, "files": files, "pairs": pairs}


def save(golden, path=GOLDEN):
    """One file and one pair a line, so that a difference shows where it is."""
    def lines(items):
        return "[\n" + ",\n".join(json.dumps(item, separators=(",", ":")) for item in items) + "\n]"

    path.parent.mkdir(exist_ok=True)
    path.write_text('{"spark":' + json.dumps(golden["spark"]) + ',\n"texts":' + lines(golden["texts"]) + ',\n"files":' +
                    lines(golden["files"]) + ',\n"pairs":' + lines(golden["pairs"]) + "}\n")
