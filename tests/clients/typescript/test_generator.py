"""What the generator writes: compiled under the strictest settings, the same for the same document."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from clients.sdkgen.__main__ import main
from clients.sdkgen.document import Document, DocumentError
from clients.sdkgen.typescript.package import files
from tests.clients.test_sdkgen import ODD
from tests.clients.typescript import node

pytestmark = pytest.mark.xdist_group("typescript")


def operation(operation_id: str, **more: Any) -> Document:
    return Document({"paths": {"/v1/things": {"post": {"operationId": operation_id, "responses": {}, **more}}}})


def test_a_partners_program_is_clean_where_it_is_right_and_refused_where_it_is_wrong(sample_project: Path) -> None:
    program = node.program(sample_project, "partner.ts")
    told = node.compiled(sample_project, *node.STRICT, program.name).stdout
    wrong = [
        number for number, line in enumerate(program.read_text("utf-8").splitlines(), 1) if line.endswith("// wrong")
    ]
    refused = [int(line) for line in re.findall(r"^partner\.ts\((\d+),", told, re.MULTILINE)]
    assert sorted(set(refused)) == wrong, told
    assert "node_modules" not in told


def test_what_the_readme_shows_is_accepted_by_the_compiler(project: Path) -> None:
    shown = re.findall(r"^```ts\n(.*?)^```$", (node.CLIENT / "README.md").read_text("utf-8"), re.MULTILINE | re.DOTALL)
    known = 'declare const client: import("@backhaul/client").Backhaul;\n'
    for number, block in enumerate(shown):
        prelude = "" if "new Backhaul" in block else known
        (project / f"shown{number}.ts").write_text(f"{prelude}{block}export {{}};\n", "utf-8")
    assert len(shown) == 5
    assert node.compiled(project, *node.STRICT, *(f"shown{number}.ts" for number in range(len(shown)))).stdout == ""


@pytest.fixture(scope="module")
def odd(project: Path) -> dict[str, str]:
    node.install(project, "odd-client", ODD)
    return node.verdicts(node.program(project, "odd.mjs"))


@pytest.mark.parametrize("sentence", node.sentences("odd.mjs"))
def test_odd(sentence: str, odd: dict[str, str]) -> None:
    assert odd[sentence] == ""


def test_the_same_document_gives_the_same_files() -> None:
    assert files(Document(ODD)) == files(Document(json.loads(json.dumps(ODD, sort_keys=True))))


def test_check_tells_of_files_that_differ(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = tmp_path / "document.json"
    document.write_text(json.dumps(ODD), "utf-8")
    arguments = ["--document", str(document), "--typescript-target", str(tmp_path / "out")]
    assert main([*arguments, "--check"]) == 1
    assert main(arguments) == 0
    assert main([*arguments, "--check"]) == 0
    (tmp_path / "out" / "events.ts").write_text("edited", "utf-8")
    assert main([*arguments, "--check"]) == 1
    assert capsys.readouterr().err.endswith("events.ts is not what the document says; run python -m clients.sdkgen\n")


def test_enums_are_open_and_the_constants_of_answers_are_not() -> None:
    schema = {
        "type": "object",
        "properties": {
            "mode": {"enum": ["sealed", "timed", None]},
            "kind": {"const": "round"},
            "size": {"enum": [1, 2]},
        },
    }
    answers = {"200": {"content": {"application/json": {"schema": {"$ref": "#/x/Shape"}}}}}
    document = operation("shapes.draw", responses=answers)
    document.raw["x"] = {"Shape": schema}
    models = files(document)["models.ts"]
    assert 'mode?: "sealed" | "timed" | (string & {}) | null;' in models
    assert 'kind?: "round";' in models
    query = {"name": "expand", "in": "query", "schema": {"type": "array", "items": {"const": "listing"}}}
    sent = files(operation("things.make", parameters=[query]))["resources.ts"]
    assert 'expand?: ReadonlyArray<"listing" | (string & {})> | undefined;' in sent
    assert "size?: number;" in models


def test_what_is_sent_may_be_undefined_and_takes_dates() -> None:
    schema = {
        "type": "object",
        "properties": {"at": {"type": "string", "format": "date-time"}, "id": {"readOnly": True}},
    }
    body = {"required": True, "content": {"application/json": {"schema": schema}}}
    resources = files(operation("things.make", requestBody=body))["resources.ts"]
    assert "  at?: string | Date | undefined;" in resources
    assert "  id?: " not in resources


def test_two_parameters_of_one_name_are_refused() -> None:
    query = {"name": "kind", "in": "query", "schema": {"type": "string"}}
    schema = {"type": "object", "properties": {"kind": {"type": "string"}}}
    body = {"content": {"application/json": {"schema": schema}}}
    with pytest.raises(DocumentError, match="two parameters named kind"):
        files(operation("things.make", parameters=[query], requestBody=body))


def test_comments_cannot_be_ended_by_the_document() -> None:
    assert "evil" not in _outside_comments(files(operation("things.make", summary="*/ evil(); /*"))["resources.ts"])


def _outside_comments(source: str) -> str:
    return re.sub(r"/\*.*?\*/", "", source, flags=re.DOTALL)


def test_a_packed_client_is_installed_into_an_empty_folder(project: Path, tmp_path: Path) -> None:
    empty = node.new_project(tmp_path / "empty")
    node.npm_install(empty, project / "node_modules" / "@backhaul" / "client")
    asked = empty / "asked.mjs"
    asked.write_text('import { VERSION } from "@backhaul/client";\nconsole.log(VERSION);\n', "utf-8")
    assert node.run(asked).stdout == "0.1.0\n"


def test_the_client_depends_on_nothing_and_pins_its_compiler() -> None:
    package = json.loads((node.CLIENT / "package.json").read_text("utf-8"))
    assert not {"dependencies", "peerDependencies", "optionalDependencies"} & package.keys()
    assert list(package["devDependencies"]) == ["typescript"]
    assert re.fullmatch(r"\d+\.\d+\.\d+", package["devDependencies"]["typescript"])
    assert '"resolved"' not in (node.CLIENT / "package-lock.json").read_text("utf-8")
    imports = [line for path in node.CLIENT.glob("src/**/*.ts") for line in _imported(path)]
    assert [name for name in imports if not name.startswith(".")] == []


def _imported(path: Path) -> list[str]:
    return re.findall(r'^(?:import|export|\}) .*?from "([^"]+)";$', path.read_text("utf-8"), re.MULTILINE)
