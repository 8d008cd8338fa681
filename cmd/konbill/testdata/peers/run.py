"""What a careful person would write instead of Konbill:

    run.py FOLDER INVOICES OUT API-URL MAIL-PORT THREADS

Charges every row, draws its slip, mails it and writes a results file; prints
the seconds from the file's bytes to the results.

Tuned: each thread keeps one connection to the API and one to the mail server,
without Nagle's delay; a charge is one request; slips are drawn with faces cut
to the batch; mails are put together with the old, quicker classes of email.
one QR code serves slip and mail, made with segno, the quickest of Debian's
libraries. Spared what Konbill does besides: a ledger, checks of the rows, and
setting the page (each comes laid out; code and link are put in). Drawing holds a lock, since reportlab's fonts aren't
made for threads; the interpreter would let only one draw at a time anyway.
"""

import base64
import csv
import datetime
import http.client
import io
import itertools
import json
import os
import smtplib
import socket
import sys
import threading
import time
import urllib.parse
from concurrent.futures import ThreadPoolExecutor
from email.mime.application import MIMEApplication
from email.mime.image import MIMEImage
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.utils import formatdate, make_msgid

import segno

import peerpage

AUTHORIZATION = "Basic " + base64.b64encode(b"skey_test_peers:").decode()
RESULTS = ["result", "charge_id", "payment_code", "authorize_uri", "expires_at", "slip", "mail"]


class Batch:
    def __init__(self, folder, out, api, mail_port):
        with open(os.path.join(folder, "pages.json"), encoding="utf-8") as file:
            self.pages = {page["number"]: page for page in json.load(file)}
        with open(os.path.join(folder, "mail.json"), encoding="utf-8") as file:
            self.mail = json.load(file)
        peerpage.register_faces(folder)
        self.slips = os.path.join(out, "slips")
        os.mkdir(self.slips)
        self.api = urllib.parse.urlsplit(api)
        self.mail_port = mail_port
        self.drawing = threading.Lock()
        self.own = threading.local()
        due = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=self.mail["due_days"])
        self.expires_at = due.strftime("%Y-%m-%dT15:00:00Z")

    def settle(self, row):
        charge = self.charge(row)
        code, link = charge["source"]["references"]["payment_code"], charge["authorize_uri"]
        qr = segno.make_qr(link, error="m", boost_error=False)
        pdf = self.draw(row, code, link, qr)
        name = row["invoice_no"] + ".pdf"
        with open(os.path.join(self.slips, name), "wb") as file:
            file.write(pdf)
        self.send(row, self.compose(row, code, link, qr, pdf, name))
        return ["issued", charge["id"], code, link, charge["expires_at"], "slips/" + name, "mailed"]

    def charge(self, row):
        if not hasattr(self.own, "http"):
            self.own.http = http.client.HTTPConnection(self.api.hostname, self.api.port)
        form = urllib.parse.urlencode({
            "amount": row["amount"], "currency": "JPY", "expires_at": self.expires_at,
            "description": row["invoice_no"] + " " + row["description"],
            "metadata[invoice_no]": row["invoice_no"],
            "source[type]": "econtext", "source[name]": row["name"].replace(" ", ""),
            "source[email]": row["email"], "source[phone_number]": row["phone"],
        })
        self.own.http.request("POST", "/charges", form, {
            "Authorization": AUTHORIZATION, "Omise-Version": "2019-05-29",
            "Content-Type": "application/x-www-form-urlencoded",
        })
        answer = self.own.http.getresponse()
        body = json.loads(answer.read())
        if answer.status != 200:
            raise RuntimeError(f"{row['invoice_no']}: {body}")
        return body

    def draw(self, row, code, link, qr):
        page = dict(self.pages[row["invoice_no"]])
        place = page["links"][0]["area"]
        known = {page["links"][0]["address"]: link, page["code"]: code}
        page["links"] = [{**one, "address": link} for one in page["links"]]
        page["lines"] = [{**line, "text": known.get(line["text"], line["text"])} for line in page["lines"]]
        page["paths"] = page["paths"][:-1] + [{"colour": [0, 0, 0], "areas": self.modules(qr, place)}]
        with self.drawing:
            return peerpage.draw(page)

    @staticmethod
    def modules(qr, place):
        """The dark stretches of a code; the place has its quiet zone, too."""
        matrix, quiet = qr.matrix, 4
        x, y, width, height = place
        module = width / (len(matrix) + 2 * quiet)
        areas = []
        for down, row in enumerate(matrix):
            start = 0
            for dark, run in itertools.groupby(row):
                length = len(list(run))
                if dark:
                    areas.append((x + (start + quiet) * module, y + height - (down + quiet + 1) * module, length * module, module))
                start += length
        return areas

    def send(self, row, message):
        if not hasattr(self.own, "smtp"):
            self.own.smtp = smtplib.SMTP("127.0.0.1", self.mail_port, local_hostname="localhost")
            self.own.smtp.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.own.smtp.sendmail(self.mail["from"], [row["email"]], message)

    def compose(self, row, code, link, qr, pdf, name):
        facts = [
            (self.mail["link"], link), (self.mail["code"], code), (self.mail["number"], row["invoice_no"]),
            (self.mail["name"], row["name"]), (self.mail["amount"], f"{int(row['amount']):,}円"),
            (self.mail["phone"], "-".join((row["phone"][:3], row["phone"][3:7], row["phone"][7:]))),
            (self.mail["description"], row["description"]),
        ]

        def fill(text):
            for old, new in facts:
                text = text.replace(old, new)
            return text

        png = io.BytesIO()
        qr.save(png, kind="png", scale=4)
        picture = MIMEImage(png.getvalue(), "png")
        picture["Content-ID"] = "<" + self.mail["content_id"] + ">"
        related = MIMEMultipart("related", None, [MIMEText(fill(self.mail["html"]), "html", "utf-8"), picture])
        texts = MIMEMultipart("alternative", None, [MIMEText(fill(self.mail["text"]), "plain", "utf-8"), related])
        slip = MIMEApplication(pdf, "pdf")
        slip.add_header("Content-Disposition", "attachment", filename=name)
        message = MIMEMultipart("mixed", None, [texts, slip])
        message["From"] = self.mail["from"]
        message["To"] = row["email"]
        message["Subject"] = fill(self.mail["subject"])
        message["Date"] = formatdate()
        message["Message-ID"] = make_msgid(domain="sakura.example")
        return message.as_bytes()


def main(folder, invoices, out, api, mail_port, threads):
    batch = Batch(folder, out, api, int(mail_port))
    begun = time.perf_counter()
    with open(invoices, encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    with ThreadPoolExecutor(int(threads)) as pool:
        results = list(pool.map(batch.settle, rows))
    with open(os.path.join(out, "invoices.results.csv"), "w", encoding="utf-8-sig", newline="") as file:
        table = csv.writer(file)
        table.writerow(list(rows[0]) + RESULTS)
        table.writerows(list(row.values()) + result for row, result in zip(rows, results))
    print(time.perf_counter() - begun)


if __name__ == "__main__":
    main(*sys.argv[1:])
