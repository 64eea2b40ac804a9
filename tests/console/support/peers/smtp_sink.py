"""A mail server for the tests, on aiosmtpd: STARTTLS and AUTH as asked for, a Maildir, and faults on demand.

smtp_sink.py serve DIRECTORY   options in DIRECTORY/options.json, faults in DIRECTORY/faults.json (read at every step);
                               prints its port; notes each step in DIRECTORY/steps, one JSON object a line
smtp_sink.py read FILE ...     prints what Python's email package makes of each message, as a JSON array
"""

import asyncio
import base64
import json
import mailbox
import os
import random
import ssl
import sys
from email import message_from_binary_file, policy


def read(paths):
    found = []
    for path in paths:
        with open(path, "rb") as file:
            message = message_from_binary_file(file, policy=policy.default)
        parts = []
        for part in message.walk():
            body = None if part.is_multipart() else part.get_content()
            parts.append({"type": part.get_content_type(), "charset": part.get_content_charset(),
                          "body": body,
                          "defects": [str(defect) for defect in part.defects]})
        headers = [[name, str(value)] for name, value in message.items()]
        defects = [str(defect) for _, value in message.items() for defect in value.defects]
        with open(path, "rb") as file:
            raw = file.read()
        longest = max(len(line) for line in raw.split(b"\n"))
        found.append({"headers": headers, "parts": parts, "defects": defects, "longest": longest,
                      "ascii": raw.isascii()})
    print(json.dumps(found))


def serve(directory):
    from aiosmtpd.smtp import SMTP, AuthResult

    place = lambda name: os.path.join(directory, name)
    with open(place("options.json")) as file:
        options = json.load(file)
    box = mailbox.Maildir(place("box"), create=True)
    steps = open(place("steps"), "a", buffering=1)
    chance = random.Random(options.get("seed", 1))

    def note(**step):
        steps.write(json.dumps(step) + "\n")

    def faults():
        with open(place("faults.json")) as file:
            return json.load(file)

    async def disturb(server, step):
        """The answer that a fault gives instead of the usual one; `None` where all is well."""
        now = faults()
        if now.get("hang") == step:
            await asyncio.sleep(3600)
        await asyncio.sleep(now.get("slow", {}).get(step, 0))
        if chance.random() < now.get("drop", {}).get(step, 0):
            note(step="drop", at=step)
            server.transport.abort()
            return "421 gone"
        if chance.random() < now.get("put_off", {}).get(step, 0):
            note(step="put_off", at=step)
            return "451 4.7.1 Later, please: <b>SECRET</b>"
        return now.get("answer", {}).get(step)

    class Handler:
        async def handle_EHLO(self, server, session, envelope, hostname, responses):
            note(step="EHLO", name=hostname, tls=session.ssl is not None)
            answer = await disturb(server, "EHLO")
            session.host_name = hostname
            return [answer] if answer else responses

        async def handle_HELO(self, server, session, envelope, hostname):
            note(step="HELO", name=hostname)
            session.host_name = hostname
            return "250 sink.example"

        async def xoauth2(self, server, args):
            """As Exchange and Gmail have it: one line with the mailbox and the token, refused at once or by a challenge."""
            want, said = options["xoauth2"], base64.b64decode(args[1]).decode()
            user, token = said.rstrip("\1").split("\1")
            user, token = user.removeprefix("user="), token.removeprefix("auth=Bearer ")
            good = user == want["mailbox"] and audience(token) == want["audience"]
            note(step="XOAUTH2", user=user, audience=audience(token), good=good, tls=server.session.ssl is not None)
            if good:
                return AuthResult(success=True, auth_data=user)
            if want.get("challenge"):
                await server.challenge_auth('{"status":"400","schemes":"Bearer"}')
            return AuthResult(success=False, handled=False, message="535 5.7.3 Authentication unsuccessful SECRET")

        async def handle_MAIL(self, server, session, envelope, address, mail_options):
            answer = await disturb(server, "MAIL")
            if answer:
                return answer
            envelope.mail_from = address
            envelope.mail_options.extend(mail_options)
            return "250 OK"

        async def handle_RCPT(self, server, session, envelope, address, rcpt_options):
            if address in faults().get("refuse", []):
                return "550 5.1.1 No such user: SECRET"
            # Postfix: reject_non_fqdn_helo_hostname, which speaks up here (smtpd_delay_reject).
            if options.get("fqdn") and "." not in session.host_name:
                return f"504 5.5.2 <{session.host_name}>: Helo command rejected: need fully-qualified hostname SECRET"
            answer = await disturb(server, "RCPT")
            if answer:
                return answer
            note(step="RCPT", to=address)
            envelope.rcpt_tos.append(address)
            return "250 OK"

        async def handle_DATA(self, server, session, envelope):
            answer = await disturb(server, "DATA")
            if answer:
                return answer
            key = box.add(envelope.original_content) if options.get("store", True) else ""
            note(step="mail", sender=envelope.mail_from, to=envelope.rcpt_tos, key=key,
                 tls=session.ssl is not None, login=getattr(session, "auth_data", None) is not None)
            return await disturb(server, "taken") or "250 OK"

    if "xoauth2" in options:
        # The library offers every mechanism that the handler has by this name.
        Handler.auth_XOAUTH2 = Handler.xoauth2

    class Server(SMTP):
        def connection_made(self, transport):
            if self._original_transport is None:
                note(step="connect")
                if chance.random() < faults().get("drop", {}).get("connect", 0):
                    note(step="drop", at="connect")
                    transport.abort()
            super().connection_made(transport)

        async def push(self, status):
            if self.session.host_name is None and isinstance(status, str) and status.startswith("220 "):
                if faults().get("hang") == "greeting":
                    await asyncio.sleep(3600)
                status = faults().get("answer", {}).get("greeting", status)
            await super().push(status)

        async def smtp_RSET(self, arg):
            note(step="RSET")
            await super().smtp_RSET(arg)

        async def smtp_QUIT(self, arg):
            note(step="QUIT")
            await super().smtp_QUIT(arg)

    class Discard:
        """Takes everything and keeps nothing, for benchmarks."""

        async def handle_DATA(self, server, session, envelope):
            return "250 OK"

    def authenticate(server, session, envelope, mechanism, data):
        good = data.login.decode() == options["user"] and data.password.decode() == options["password"]
        note(step="AUTH", mechanism=mechanism, good=good, tls=session.ssl is not None)
        message = faults().get("answer", {}).get("AUTH")
        if message:
            return AuthResult(success=False, handled=False, message=message)
        return AuthResult(success=good, handled=good, auth_data=data.login if good else None)

    def audience(token):
        """Of a JWT; Google's tokens say nothing, and stand for themselves up to the last dot."""
        parts = token.split(".")
        if len(parts) == 3 and parts[0] != "ya29":
            return json.loads(base64.urlsafe_b64decode(parts[1] + "==")).get("aud")
        return token.rpartition(".")[0]

    context = None
    if "certificate" in options:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(options["certificate"], options["key"])
    user = options.get("user")

    def server():
        if options.get("discard"):
            return SMTP(Discard(), hostname="sink.example", command_call_limit=1_000_000)
        return Server(Handler(), tls_context=context, require_starttls=context is not None, hostname="sink.example",
                      auth_required=user is not None or "xoauth2" in options, authenticator=authenticate if user else None,
                      auth_exclude_mechanism=options.get("without", []), command_call_limit=1_000_000)

    async def run():
        listening = await asyncio.get_running_loop().create_server(server, "127.0.0.1", options.get("port", 0))
        print(listening.sockets[0].getsockname()[1], flush=True)
        await listening.serve_forever()

    asyncio.run(run())


if __name__ == "__main__":
    read(sys.argv[2:]) if sys.argv[1] == "read" else serve(sys.argv[2])
