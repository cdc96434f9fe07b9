# SPDX-License-Identifier: GPL-3.0-or-later
"""servers: Mosquitto, InfluxDB, PostgreSQL, nginx and Prometheus, real ones, with the settings
that deploy/ ships, on free ports and in a folder of the test run."""

import os
import secrets
import shutil
import signal
import socket
import subprocess

import psycopg
import requests

from procs import PATH, ROOT, Proc, as_server, free_port, make_dir, wait_for, which

PG_BINS = [f"/usr/lib/postgresql/{v}/bin" for v in (15, 16, 17, 18, 14, 13)]


def render(to, templates, **values):
    """deploy/render.sh: fills ${FC_NAME} in the shipped templates."""
    env = {"PATH": PATH, **{k: str(v) for k, v in values.items()}}
    text = subprocess.run(["sh", ROOT / "deploy/render.sh", *[ROOT / t for t in templates]],
                          env=env, check=True, stdout=subprocess.PIPE).stdout
    to.write_bytes(text)
    to.chmod(0o644)
    return to


class Mosquitto:
    """users: {name: password} with the shipped ACL; without, everybody may do everything. tls: a
    folder as deploy/mosquitto/certs is filled (see certs.py), for a second listener. more: lines of
    settings; change: {shipped line: line in its place}."""

    def __init__(self, folder, users=None, tls=None, more="", change=None, access=True):
        self.folder, self.port, self.tls_port = folder, free_port(), free_port() if tls else None
        data = make_dir(folder / "mosquitto", server_owned=True)
        templates, values = ["mosquitto.conf"], {}
        if users:
            values = {"FC_MQTT_PASSWORDS": folder / "passwords", "FC_MQTT_ACL": folder / "acl"}
            self.set_users(users)
            shutil.copy(ROOT / "deploy/mosquitto/acl", folder / "acl")
            (folder / "acl").chmod(0o644)
        if access:
            templates.append("access-password.conf" if users else "access-open.conf")
        if tls:
            templates.append("tls.conf")
            if (tls / "clients-ca.crt").exists():
                templates.append("tls-clients.conf")
            values |= {"FC_MQTT_TLS_PORT": self.tls_port, "FC_MQTT_CERTS": tls}
        self.conf = render(folder / "mosquitto.conf", [f"deploy/mosquitto/{t}" for t in templates],
                           FC_MQTT_PORT=self.port, FC_MQTT_BIND="127.0.0.1", FC_MQTT_DATA=data, **values)
        text = self.conf.read_text()
        for old, new in (change or {}).items():
            assert f"\n{old}\n" in text, f"the shipped settings have no line \"{old}\""
            text = text.replace(f"\n{old}\n", f"\n{new}\n")
        self.conf.write_text(text + more)
        self.url = f"tcp://127.0.0.1:{self.port}"
        self.login = None  # (user, password) of the tests' own clients
        self.tls_url = f"ssl://localhost:{self.tls_port}"
        self.proc = Proc("mosquitto", [which("mosquitto"), "-c", self.conf], folder, server=True)

    def set_users(self, users):
        path = self.folder / "passwords"
        path.write_text("".join(f"{name}:{password}\n" for name, password in users.items()))
        path.chmod(0o644)
        subprocess.run([which("mosquitto_passwd"), "-U", path], check=True)
        path.chmod(0o644)

    def start(self):
        self.proc.start()
        wait_for(lambda: _connects(self.port) and self.proc.alive(), 10, "mosquitto")
        return self

    def reload(self):
        self.proc.send(signal.SIGHUP)

    def stop(self, sig=signal.SIGTERM):
        return self.proc.stop(sig)


class Influx:
    def __init__(self, folder):
        self.port, backup = free_port(), free_port()
        data = make_dir(folder / "influxdb", server_owned=True)
        self.url = f"http://127.0.0.1:{self.port}"
        env = {"INFLUXDB_META_DIR": f"{data}/meta", "INFLUXDB_DATA_DIR": f"{data}/data",
               "INFLUXDB_DATA_WAL_DIR": f"{data}/wal", "INFLUXDB_REPORTING_DISABLED": "true",
               "INFLUXDB_HTTP_BIND_ADDRESS": f"127.0.0.1:{self.port}",
               "INFLUXDB_BIND_ADDRESS": f"127.0.0.1:{backup}"}
        conf = render(folder / "influxdb.conf", ["deploy/influxdb/influxdb.conf"])
        self.proc = Proc("influxdb", [which("influxd"), "-config", conf], folder, env, server=True)

    def start(self):
        self.proc.start()
        wait_for(lambda: requests.get(f"{self.url}/ping", timeout=2).status_code == 204, 30, "influxd")
        return self

    def stop(self, sig=signal.SIGTERM):
        return self.proc.stop(sig)

    def query(self, db, q):
        """One statement: rows as dicts (tags and columns; time in ms)."""
        r = requests.post(f"{self.url}/query", params={"db": db, "epoch": "ms"}, data={"q": q}, timeout=60)
        answer = r.json()
        assert r.status_code == 200 and "error" not in answer, answer
        result = answer["results"][0]
        assert "error" not in result, result
        return [{**s.get("tags", {}), **dict(zip(s["columns"], row))}
                for s in result.get("series", []) for row in s["values"]]

    def write(self, db, lines):
        text = lines if isinstance(lines, str) else "\n".join(lines)
        r = requests.post(f"{self.url}/write", params={"db": db, "precision": "ms"}, data=text, timeout=60)
        assert r.status_code == 204, r.text


class Postgres:
    """A cluster whose databases are copies of one migrated template."""

    def __init__(self, folder):
        self.folder, self.port = folder, free_port()
        self.bin = next((b for b in PG_BINS if os.path.exists(f"{b}/initdb")), None) or \
            os.path.dirname(which("initdb"))
        self.password = secrets.token_hex(12)
        self.home = make_dir(folder / "postgres", server_owned=True)
        self.n, self.migrated = 0, False
        conf = render(folder / "postgresql.conf", ["deploy/postgres/postgresql.conf"])
        fast = ["fsync=off", "full_page_writes=off"]  # survives its own SIGKILL, not the machine's
        opts = [f"config_file={conf}", "listen_addresses=127.0.0.1", f"port={self.port}",
                "unix_socket_directories=", *fast]
        self.proc = Proc("postgres", [f"{self.bin}/postgres", "-D", f"{self.home}/cluster",
                                      *[x for o in opts for x in ("-c", o)]], folder, server=True)

    def make_cluster(self):
        pw = self.folder / "pg_password"
        pw.write_text(self.password)
        pw.chmod(0o644)
        cmd = [f"{self.bin}/initdb", "-D", f"{self.home}/cluster", "-U", "postgres", "-A", "scram-sha-256",
               "-E", "UTF8", "--locale=C.UTF-8", "--lc-collate=C", f"--pwfile={pw}", "--no-sync", "--no-instructions"]
        done = subprocess.run(as_server(cmd), capture_output=True, text=True, cwd="/", env={"PATH": PATH})
        assert done.returncode == 0, f"initdb: {done.stdout}{done.stderr}"

    def start(self):
        if not (self.home / "cluster").exists():
            self.make_cluster()
        self.proc.start()
        self.wait()
        if not self.migrated:
            self.admin(f"CREATE ROLE fieldcast LOGIN PASSWORD '{self.password}'")
            self.admin("CREATE DATABASE fc_template OWNER fieldcast")
            self.migrate("fc_template")
            self.migrated = True
        return self

    def wait(self):
        def answers():
            try:
                self.admin("SELECT 1")
                return True
            except psycopg.OperationalError as e:
                raise OSError(e) from e
        wait_for(answers, 30, "postgres")

    def stop(self, sig=signal.SIGINT):  # "fast": does not wait for clients
        return self.proc.stop(sig)

    def conninfo(self, db, user="fieldcast"):
        return (f"host=127.0.0.1 port={self.port} dbname={db} user={user} "
                f"password={self.password} connect_timeout=5")

    def admin(self, sql, db="postgres"):
        with psycopg.connect(self.conninfo(db, "postgres"), autocommit=True) as c:
            c.execute(sql)

    def migrate(self, db):
        done = subprocess.run(["bash", ROOT / "deploy/postgres/migrate.sh"], capture_output=True, text=True,
                              env={"PATH": PATH, "FC_PG_CONNINFO": self.conninfo(db)})
        assert done.returncode == 0, f"migrate.sh: {done.stdout}{done.stderr}"

    def new_database(self):
        self.n += 1
        name = f"fc_{self.n}"
        self.admin(f"CREATE DATABASE {name} TEMPLATE fc_template OWNER fieldcast")
        return name

    def drop_database(self, name):
        self.admin(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


class Nginx:
    def __init__(self, folder, upstreams, **settings):
        """upstreams: {"ingest": "127.0.0.1:8101", …}; settings: FC_RATE_LIMIT=… and the like."""
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        run = make_dir(folder / "nginx", server_owned=True)
        web, problem = folder / "web", folder / "problem"
        # copies, because the project may lie where only its owner can read
        shutil.copytree(ROOT / "web", web, dirs_exist_ok=True)
        shutil.copytree(ROOT / "deploy/nginx/problem", problem, dirs_exist_ok=True)
        subprocess.run(["chmod", "-R", "a+rX", web, problem], check=True)
        values = {f"FC_{k.upper()}": v for k, v in upstreams.items()}
        values |= {"FC_PROXY_LISTEN": f"127.0.0.1:{self.port}", "FC_PROXY_WORKERS": 1, "FC_PROXY_RUN": run,
                   "FC_PROXY_CONF": folder / "fieldcast.conf", "FC_GRAFANA": "127.0.0.1:1",
                   "FC_RESOLVER": "127.0.0.1", "FC_WEB_ROOT": web, "FC_PROBLEM_ROOT": problem,
                   "FC_ACCESS_LOG": run / "access.log", "FC_RATE_LIMIT": 1000, "FC_RATE_BURST": 1000, **settings}
        render(folder / "fieldcast.conf", ["deploy/nginx/fieldcast.conf.template"], **values)
        conf = render(folder / "nginx.conf", ["deploy/nginx/nginx.conf"], **values)
        self.proc = Proc("nginx", [which("nginx"), "-e", "stderr", "-p", run, "-c", conf], folder, server=True)

    def start(self):
        self.proc.start()
        wait_for(lambda: _connects(self.port) and self.proc.alive(), 10, "nginx")
        return self

    def stop(self):
        return self.proc.stop()


class Prometheus:
    def __init__(self, folder, config):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        data = make_dir(folder / "prometheus", server_owned=True)
        conf = folder / "prometheus.yml"
        conf.write_text(config)
        conf.chmod(0o644)
        self.proc = Proc("prometheus", [which("prometheus"), f"--config.file={conf}", f"--storage.tsdb.path={data}",
                                        f"--web.listen-address=127.0.0.1:{self.port}"], folder, server=True)

    def start(self):
        self.proc.start()
        wait_for(lambda: requests.get(f"{self.url}/-/ready", timeout=2).status_code == 200, 30, "prometheus")
        return self

    def stop(self):
        return self.proc.stop()

    def query(self, q):
        r = requests.get(f"{self.url}/api/v1/query", params={"query": q}, timeout=10).json()
        assert r["status"] == "success", r
        return r["data"]["result"]


def _connects(port):
    with socket.create_connection(("127.0.0.1", port), 1):
        return True
