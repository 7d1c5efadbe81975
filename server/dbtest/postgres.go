package dbtest

import (
	"os/exec"
	"path/filepath"
	"slices"
)

// hba says who may connect how.
const hba = `local all all trust
hostssl "cert" all 127.0.0.1/32 cert
host all all 127.0.0.1/32 scram-sha-256
`

func startPostgres() (_ *Server, missing string, err error) {
	bin := postgresBin()
	if bin == "" {
		return nil, "postgresql", nil
	}
	s, certs, p, err := newServer("postgres")
	if err != nil {
		return nil, "", err
	}
	s.Socket = p.dir
	for name, text := range map[string]string{
		"password": s.Password, "hba": hba, "ca.pem": certs.ca, "cert.pem": certs.serverCert, "key.pem": certs.serverKey,
	} {
		if err := p.write(name, text); err != nil {
			return nil, "", err
		}
	}
	err = p.run(filepath.Join(bin, "initdb"), "-D", p.path("data"), "-U", s.User, "--pwfile", p.path("password"),
		"--encoding=UTF8", "--locale=C.UTF-8", "--no-sync", "--auth=scram-sha-256")
	if err != nil {
		return nil, "", err
	}
	args := []string{filepath.Join(bin, "postgres"), "-D", p.path("data"), "-p", s.Port, "-k", p.dir}
	for _, setting := range []string{
		"listen_addresses=127.0.0.1", "hba_file=" + p.path("hba"), "max_connections=50", "shared_buffers=16MB",
		"fsync=off", "full_page_writes=off", "autovacuum=off",
		"ssl=on", "ssl_cert_file=" + p.path("cert.pem"), "ssl_key_file=" + p.path("key.pem"), "ssl_ca_file=" + p.path("ca.pem"),
	} {
		args = append(args, "-c", setting)
	}
	return s, "", s.serve(p, "QUIT", "database system is ready to accept connections", args...)
}

// postgresBin is the folder of PostgreSQL's programs, the newest of several.
func postgresBin() string {
	if path, err := exec.LookPath("postgres"); err == nil {
		return filepath.Dir(path)
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if len(found) == 0 {
		return ""
	}
	return filepath.Dir(slices.Max(found))
}
