"""The files of docs/deploy start what there is, as nobody in particular, and hold no secret."""

import re
import shlex
import sys
from configparser import RawConfigParser
from pathlib import Path

import pytest
import yaml
from django.core.management import get_commands

from infusion_center.core.checks import all_patterns

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "docs" / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
APP = {
    name: service for name, service in COMPOSE["services"].items() if service["image"].startswith("infusion-center:")
}
HARDENED = {
    "User": "infusion-center",
    "NoNewPrivileges": "yes",
    "ProtectSystem": "strict",
    "ProtectHome": "yes",
    "PrivateTmp": "yes",
    "PrivateDevices": "yes",
    "CapabilityBoundingSet": "",
    "UMask": "0077",
}


def service_of(path: Path) -> list[tuple[str, str]]:
    """systemd repeats keys, which configparser would fold into one."""
    section = path.read_text().split("[Service]")[1].split("\n[")[0]
    return [tuple(line.split("=", 1)) for line in section.splitlines() if "=" in line and not line.startswith("#")]


def commands() -> dict[str, list[str]]:
    """What each unit and each service runs."""
    of_units = {path.stem: shlex.split(dict(service_of(path))["ExecStart"]) for path in UNITS}
    dockerfile = (DEPLOY / "Dockerfile").read_text()
    default = yaml.safe_load(re.search(r"^CMD (.*)$", dockerfile, re.M)[1])
    return of_units | {name: service.get("command", default) for name, service in APP.items()}


@pytest.mark.parametrize("name", sorted(commands()))
def test_commands_name_real_programs_and_their_real_arguments(name):
    program, *arguments = commands()[name]
    match Path(program).name:
        case "python":
            assert (ROOT / arguments[0]).name == "manage.py" and arguments[1] in get_commands()
        case "celery":
            assert arguments[:2] == ["--app", "infusion_center"] and arguments[2] in ("worker", "beat")
        case "gunicorn":
            assert arguments[:3] == ["infusion_center.wsgi", "--config", "python:infusion_center.gunicorn_conf"]
    assert (Path(sys.executable).parent / Path(program).name).exists()


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.stem)
def test_units_are_confined(path):
    found = dict(service_of(path))
    assert {key: found.get(key) for key in HARDENED} == HARDENED


def test_only_the_backup_knows_its_key():
    read_by = {path.stem for path in UNITS if "backup.env" in path.read_text()}
    services = {name for name, service in APP.items() if any("backup.env" in str(file) for file in service["env_file"])}
    assert (read_by, services) == ({"infusion-center-backup"}, {"backup"})


def test_commands_by_hand_run_as_the_units_do():
    text = (DEPLOY / "manage").read_text().replace("\\\n", " ")
    _, *words = shlex.split(next(line for line in text.splitlines() if line.startswith("exec ")))
    backup = service_of(DEPLOY / "systemd" / "infusion-center-backup.service")
    shared = {"User", "Group", "UMask", "StateDirectory", "StateDirectoryMode", "NoNewPrivileges", "WorkingDirectory"}
    said = {tuple(word.removeprefix("--property=").split("=", 1)) for word in words if word.startswith("--property=")}
    files = {value for key, value in backup if key == "EnvironmentFile"}
    assert {pair for pair in said if pair[0] != "EnvironmentFile"} == {pair for pair in backup if pair[0] in shared}
    assert {value.lstrip("-") for key, value in said if key == "EnvironmentFile"} == files
    set_here = [word.removeprefix("--setenv=") for word in words if word.startswith("--setenv=")]
    assert set_here == dict(backup)["Environment"].split()
    assert words[-3:] == [*dict(backup)["ExecStart"].split()[:2], "$@"]


def test_the_timer_starts_the_backup():
    timer = RawConfigParser(strict=False)
    timer.read(DEPLOY / "systemd" / "infusion-center-backup.timer")
    assert (timer["Timer"]["OnCalendar"], timer["Timer"]["Persistent"]) == ("*-*-* 02:30", "yes")


def test_containers_are_confined_and_checked():
    for service in APP.values():
        confined = (service["user"], service["read_only"], service["cap_drop"], service["security_opt"])
        assert confined == ("10001:10001", True, ["ALL"], ["no-new-privileges:true"])
    unchecked = {name for name, service in COMPOSE["services"].items() if "healthcheck" not in service}
    assert unchecked == {"migrate", "backup"}  # they end


def test_health_checks_ask_addresses_that_exist():
    text = (DEPLOY / "compose.yaml").read_text()
    asked = set(re.findall(r"http://\w+:8000/([\w/]+)", text))
    assert asked == {"health/live", "health/ready"}
    assert asked <= {path for path, _, _ in all_patterns()}


def test_health_checks_ask_for_hosts_that_are_answered():
    """Any other is refused with 400, and a container that is well would be taken for ill."""
    asked = set(re.findall(r"http://(\w+):8000/", (DEPLOY / "compose.yaml").read_text()))
    allowed = {name: service["environment"]["ALLOWED_HOSTS"].split(",") for name, service in APP.items()}
    assert asked == {"web", "localhost"}
    assert [name for name, hosts in allowed.items() if not asked <= set(hosts)] == []
    assert {hosts[0].split(":?")[0] for hosts in allowed.values()} == {"${HOSTS"}


def test_whatever_is_mounted_belongs_to_the_service():
    """A volume over a folder that the image does not have belongs to root."""
    made = re.search(
        r"install -d -m 0700 -o infusion-center -g infusion-center (.+)", (DEPLOY / "Dockerfile").read_text()
    )
    mounts = {volume.split(":")[1] for service in APP.values() for volume in service["volumes"]}
    assert mounts == set(made[1].split())


def test_the_image_makes_the_user_that_the_containers_run_as():
    dockerfile = (DEPLOY / "Dockerfile").read_text()
    (user,) = {service["user"] for service in APP.values()}
    numbers = re.search(r"--gid (\d+) infusion-center", dockerfile), re.search(r"--uid (\d+) --gid (\d+)", dockerfile)
    assert (f"{numbers[1][1]}:{numbers[0][1]}", numbers[1][2]) == (user, numbers[0][1])


def test_secrets_come_from_outside():
    text = (DEPLOY / "compose.yaml").read_text()
    said = re.findall(r"^ *\w*(?:PASSWORD|SECRET|KEY): *(.+)", text, re.M)
    assert said and all(re.match(r"\$\{\w+:\?", value) for value in said)


def test_the_broker_keeps_and_never_drops():
    command = COMPOSE["services"]["redis"]["command"][-1]
    assert all(word in command for word in ("requirepass", "appendonly yes", "maxmemory-policy noeviction"))
