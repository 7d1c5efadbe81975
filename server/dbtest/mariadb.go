package dbtest

import (
	"os/exec"
	"strings"
)

func startMariaDB() (_ *Server, missing string, err error) {
	daemon, err := exec.LookPath("mariadbd")
	if err != nil {
		if daemon, err = exec.LookPath("/usr/sbin/mariadbd"); err != nil {
			return nil, "mariadb-server", nil
		}
	}
	install, err := exec.LookPath("mariadb-install-db")
	if err != nil {
		return nil, "mariadb-server", nil
	}
	s, certs, p, err := newServer("mysql")
	if err != nil {
		return nil, "", err
	}
	s.Socket = p.path("socket")
	password := strings.NewReplacer(`\`, `\\`, "'", "''").Replace(s.Password)
	for name, text := range map[string]string{
		"ca.pem": certs.ca, "cert.pem": certs.serverCert, "key.pem": certs.serverKey,
		"users.sql": "CREATE USER " + s.User + "@'%' IDENTIFIED BY '" + password + "';\n" +
			"GRANT ALL ON *.* TO " + s.User + "@'%';\n" +
			"CREATE USER tls@'%' IDENTIFIED BY '" + password + "' REQUIRE SSL;\n",
	} {
		if err := p.write(name, text); err != nil {
			return nil, "", err
		}
	}
	if err := p.run(install, "--no-defaults", "--datadir="+p.path("data"), "--auth-root-authentication-method=normal", "--skip-test-db"); err != nil {
		return nil, "", err
	}
	return s, "", s.serve(p, "KILL", "ready for connections", daemon, "--no-defaults", "--datadir="+p.path("data"),
		"--socket="+s.Socket, "--port="+s.Port, "--bind-address="+s.Host, "--pid-file="+p.path("pid"), "--init-file="+p.path("users.sql"),
		"--skip-name-resolve", "--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=16M", "--default-time-zone=+05:00",
		"--ssl-ca="+p.path("ca.pem"), "--ssl-cert="+p.path("cert.pem"), "--ssl-key="+p.path("key.pem"))
}
