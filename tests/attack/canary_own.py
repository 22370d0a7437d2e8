"""Our own checks against the broken application; prints one word for each fault that they see."""

from django.test import Client

from tests.attack import canary
from tests.attack.watch import ELSEWHERE, MARK, faults

SIGNS = {"echo": "unescaped", "redirect": "another site", "error": "answer 500", "header": "no right X-Frame-Options"}


def main() -> None:
    client = Client(raise_request_exception=False)
    asked = {"/hello/": {"to": MARK}, "/go/": {"next": f"//{ELSEWHERE}/"}, "/fails/": {"by": "0"}, "/": {}}
    told = []
    for path, query in asked.items():
        response = client.get(path, query)
        told += [what for _, what in faults(path, "nobody", response, response.content.decode())]
    for word, sign in SIGNS.items():
        if any(sign in what for what in told):
            print(word)
    if orders_differ(client):
        print("order")


def orders_differ(client: Client) -> bool:
    from tests.attack.rows import rows

    one, other = (rows(client.get("/list/", {"sort": value}).content.decode()) for value in ("password", "-password"))
    return len(one) == len(canary.NAMES) and one != other


if __name__ == "__main__":
    main()
