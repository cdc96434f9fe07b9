# SPDX-License-Identifier: GPL-3.0-or-later
"""certs: certificates for the tests, made by openssl(1) as a person would make them."""

import subprocess

from procs import which

KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
CONFIG = """[ca]
default_ca = d
[d]
database = {0}/index
serial = {0}/serial
new_certs_dir = {0}
default_md = sha256
policy = p
unique_subject = no
copy_extensions = copy
[p]
commonName = supplied
"""


def openssl(*argv):
    done = subprocess.run([which("openssl"), *[str(a) for a in argv]], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


class Authority:
    """A certificate authority in a folder; its own certificate is `cert`."""

    def __init__(self, folder, name):
        folder.mkdir()
        self.folder, self.cert, self.key = folder, folder / "ca.crt", folder / "ca.key"
        openssl("req", "-x509", *KEY, "-keyout", self.key, "-out", self.cert, "-subj", f"/CN={name}", "-days", 30)
        (folder / "index").touch()
        (folder / "serial").write_text("01\n")
        (folder / "ca.cnf").write_text(CONFIG.format(folder))

    def issue(self, name, cert, key, names="DNS:localhost,IP:127.0.0.1", expired=False):
        """A certificate for a server of these names (or for a client) as two files."""
        request = self.folder / "request"
        openssl("req", *KEY, "-keyout", key, "-out", request, "-subj", f"/CN={name}", "-addext",
                f"subjectAltName={names}")
        dates = ["20200101000000Z", "20210101000000Z"] if expired else ["20200101000000Z", "20990101000000Z"]
        openssl("ca", "-batch", "-config", self.folder / "ca.cnf", "-cert", self.cert, "-keyfile", self.key, "-in",
                request, "-startdate", dates[0], "-enddate", dates[1], "-notext", "-out", cert)
        for path in (cert, key):
            path.chmod(0o644)  # the broker is another user


def server_folder(folder, authority, clients=None, **how):
    """A folder as deploy/mosquitto/certs is to be filled. clients: the authority of the
    certificates that clients must show."""
    folder.mkdir(mode=0o755)
    authority.issue("localhost", folder / "server.crt", folder / "server.key", **how)
    if clients:
        (folder / "clients-ca.crt").write_bytes(clients.cert.read_bytes())
    return folder
