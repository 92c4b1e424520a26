"""compose.yaml is what it says: valid by the Compose schema, pinned, limited, hardened, closed to the outside, migrated before it starts."""

import json
import re
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "compose.yaml").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
ONCE = {"migrate", "objects-folder", "weights"}
"""What runs, and ends."""
STAYING = sorted(set(SERVICES) - ONCE)
OURS = sorted(name for name, service in SERVICES.items() if "build" in service)
MAY_BE_ROOT = {"objects-folder", "vllm", "weights"}
"""The first gives a volume away, the others are vLLM's image, whose caches belong to root; it has no capability and no way out."""


def test_it_is_valid_by_the_schema_of_compose() -> None:
    vendored = files("check_jsonschema") / "builtin_schemas" / "vendor" / "compose-spec.json"
    schema = json.loads(vendored.read_text(encoding="utf-8"))
    faults = [
        f"{fault.instance_path}: {fault.message}" for fault in jsonschema_rs.validator_for(schema).iter_errors(COMPOSE)
    ]
    assert faults == []
    assert not jsonschema_rs.validator_for(schema).is_valid({"services": {"api": {"imagee": "x"}}})


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_an_image_is_one_version_or_built_here_as_somebody_who_is_not_root(name: str) -> None:
    service = SERVICES[name]
    if name in OURS:
        lines = (ROOT / service["build"]["dockerfile"]).read_text(encoding="utf-8").splitlines()
        assert re.fullmatch(
            r"FROM python:3\.12\.\d+-slim-bookworm", next(one for one in lines if one.startswith("FROM"))
        )
        assert [one for one in lines if one.startswith("USER")] == ["USER markwise"]
    else:
        assert re.search(r":(v?\d+\.\d+|RELEASE\.\d{4}-)", service["image"]), service["image"]
        assert name in MAY_BE_ROOT or service["user"] not in {"root", "0", "0:0"}


@pytest.mark.parametrize("name", STAYING)
def test_what_stays_is_limited_hardened_and_looked_at(name: str) -> None:
    service = SERVICES[name]
    assert {"cpus", "memory"} <= set(service["deploy"]["resources"]["limits"])
    assert (service["cap_drop"], service["security_opt"]) == (["ALL"], ["no-new-privileges:true"])
    assert service["restart"] == "unless-stopped"
    assert "test" in service["healthcheck"] or name == "housekeeping"


def test_only_the_api_and_prometheus_have_a_port_and_only_on_loopback() -> None:
    ports = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert set(ports) == {"api", "prometheus"}
    assert all(port.startswith("127.0.0.1:") for each in ports.values() for port in each)


def test_what_holds_data_or_weights_has_no_way_out() -> None:
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    for name in ("postgres", "redis", "objects", "migrate", "vllm"):
        assert SERVICES[name]["networks"] == ["inside"], name


def test_the_owners_url_is_for_migrations_alone_and_these_come_first() -> None:
    for name in OURS:
        owner = "MARKWISE_DATABASE_URL" in SERVICES[name]["environment"]
        assert owner == (name == "migrate"), name
        if name != "migrate":
            assert SERVICES[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}


def test_every_setting_is_one_and_every_secret_is_named_at_the_top() -> None:
    from app.settings import Settings

    known = {f"MARKWISE_{name.upper()}" for name in Settings.model_fields}
    for name in OURS:
        assert {key for key in SERVICES[name]["environment"] if key.startswith("MARKWISE_")} <= known
    for secret in set(re.findall(r"\$\{(\w+):\?", TEXT)):
        assert f"{secret}=..." in TEXT.partition("name: markwise")[0], secret


def test_what_is_mounted_is_there_and_every_volume_is_used() -> None:
    mounts = [mount.split(":")[0] for service in SERVICES.values() for mount in service.get("volumes", ())]
    for mount in mounts:
        assert (ROOT / mount).is_file() if mount.startswith("./") else mount in COMPOSE["volumes"], mount
    assert set(COMPOSE["volumes"]) <= set(mounts)


def test_redis_keeps_its_hints_and_never_evicts_them() -> None:
    lines = (ROOT / "docker" / "redis.conf").read_text(encoding="utf-8").splitlines()
    assert {"appendonly yes", "maxmemory-policy noeviction", "dir /data"} <= set(lines)
    assert "redis:/data" in SERVICES["redis"]["volumes"]
