// Package dbtest starts real servers of data for tests, as Debian packages
// them: PostgreSQL and MariaDB, each once for a test binary, and Prometheus.
package dbtest

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// Servers are the servers of a test binary, each started when a test first asks
// for it. The zero Servers is ready. They end, and their files are removed,
// when Stop is called or the binary ends, however it does.
type Servers struct {
	postgres, mariadb started
}

// started is a server, or why there is none.
type started struct {
	once    sync.Once
	server  *Server
	missing string // what is to be installed
	err     error
}

// Server is a running server. All databases of it are open to User, and nobody
// else is told about it.
type Server struct {
	// Host is 127.0.0.1, where the server has Port. Its certificate is for
	// localhost.
	Host, Port string
	// Socket is as clients want it: PostgreSQL's folder, MariaDB's file.
	Socket         string
	User, Password string
	// CA is what signed the server's certificate, as PEM; ClientCert and
	// ClientKey are a certificate of it for User.
	CA, ClientCert, ClientKey string

	watchdog *exec.Cmd
	alive    io.Closer // the watchdog ends the server when it closes
	log      *readiness
}

// Address is Host and Port.
func (s *Server) Address() string { return net.JoinHostPort(s.Host, s.Port) }

// PostgreSQL returns the PostgreSQL server. Where it is not installed the test
// is skipped, or fails if the environment variable PLUGBOARD_REQUIRE is "all"
// or names postgresql. Databases named cert* want the client's certificate.
func (s *Servers) PostgreSQL(t testing.TB) *Server {
	t.Helper()
	return s.postgres.get(t, "postgresql", startPostgres)
}

// MariaDB returns the MariaDB server, in the way of PostgreSQL; its name is
// mariadb. A user "tls", with User's password, must use TLS.
func (s *Servers) MariaDB(t testing.TB) *Server {
	t.Helper()
	return s.mariadb.get(t, "mariadb", startMariaDB)
}

// Stop ends the servers.
func (s *Servers) Stop() {
	for _, started := range []*started{&s.postgres, &s.mariadb} {
		if started.server != nil {
			started.server.stop()
		}
	}
}

func (s *started) get(t testing.TB, name string, start func() (server *Server, missing string, err error)) *Server {
	t.Helper()
	s.once.Do(func() { s.server, s.missing, s.err = start() })
	if s.err != nil {
		t.Fatalf("start %s: %v", name, s.err)
	}
	if s.missing != "" {
		absent(t, name, s.missing)
	}
	return s.server
}

// absent skips the test for want of a package, or fails it where the
// environment says that the server of this name must be there.
func absent(t testing.TB, name, missing string) {
	t.Helper()
	required := os.Getenv("PLUGBOARD_REQUIRE")
	if required == "all" || slices.Contains(strings.Split(required, ","), name) {
		t.Fatalf("PLUGBOARD_REQUIRE=%s: %s is missing", required, missing)
	}
	t.Skipf("needs %s (apt-get install %s)", missing, missing)
}

// patience is how long a server may take to start.
const patience = 60 * time.Second

// newServer returns one that is to be started, its certificates, and a folder
// for it that belongs to the user it will run as.
func newServer(account string) (*Server, *certificates, *place, error) {
	port, err := freePort()
	if err != nil {
		return nil, nil, nil, err
	}
	s := &Server{Host: "127.0.0.1", Port: port, User: "plugboard", Password: "pa'ss\\word"}
	certs, err := newCertificates(s.User)
	if err != nil {
		return nil, nil, nil, err
	}
	s.CA, s.ClientCert, s.ClientKey = certs.ca, certs.clientCert, certs.clientKey
	at, err := newPlace(account)
	return s, certs, at, err
}

func freePort() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer listener.Close()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	return port, err
}

// place is a folder and the account that owns it: ours, unless we are root,
// as whom no database server runs.
type place struct {
	dir     string
	account string // empty for ours
	uid     int
	gid     int
}

func newPlace(account string) (*place, error) {
	dir, err := os.MkdirTemp("", "plugboard-db-")
	if err != nil || os.Getuid() != 0 {
		return &place{dir: dir}, err
	}
	owner, err := user.Lookup(account)
	if err != nil {
		return nil, err
	}
	p := &place{dir: dir, account: account}
	if p.uid, err = strconv.Atoi(owner.Uid); err != nil {
		return nil, err
	}
	if p.gid, err = strconv.Atoi(owner.Gid); err != nil {
		return nil, err
	}
	return p, os.Chown(dir, p.uid, p.gid)
}

// path is that of a file in the folder.
func (p *place) path(name string) string { return filepath.Join(p.dir, name) }

// write writes a file that the account alone may read.
func (p *place) write(name, text string) error {
	if err := os.WriteFile(p.path(name), []byte(text), 0o600); err != nil || p.account == "" {
		return err
	}
	return os.Chown(p.path(name), p.uid, p.gid)
}

// command runs a program as the account.
func (p *place) command(args ...string) *exec.Cmd {
	if p.account != "" {
		args = append([]string{"runuser", "-u", p.account, "--"}, args...)
	}
	command := exec.Command(args[0], args[1:]...)
	command.Dir = p.dir
	return command
}

// run runs a program to its end.
func (p *place) run(args ...string) error {
	out, err := p.command(args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", args[0], err, out)
	}
	return nil
}

// watch is the watchdog: it runs a program until its own input ends, as it does
// with the process that started it, and removes the folder. Nobody may be left
// by then to hear what it says.
const watch = `dir=$1 signal=$2; shift 2
"$@" & server=$!
read line
exec >/dev/null 2>&1
kill -$signal $server; wait $server
rm -rf "$dir"`

// serve starts the server, under a watchdog, and waits until it says that it is
// ready.
func (s *Server) serve(p *place, signal, ready string, args ...string) error {
	s.watchdog = p.command(append([]string{"sh", "-c", watch, "watchdog", p.dir, signal}, args...)...)
	s.log = &readiness{text: []byte(ready), ready: make(chan struct{})}
	s.watchdog.Stdout, s.watchdog.Stderr = s.log, s.log
	var err error
	if s.alive, err = s.watchdog.StdinPipe(); err != nil {
		return err
	}
	if err := s.watchdog.Start(); err != nil {
		return err
	}
	select {
	case <-s.log.ready:
		return nil
	case <-time.After(patience):
		s.stop()
		return fmt.Errorf("not ready within %v:\n%s", patience, s.log.String())
	}
}

func (s *Server) stop() {
	_ = s.alive.Close()
	_ = s.watchdog.Wait()
}

// readiness collects what a server says, and tells when it says that it is
// ready.
type readiness struct {
	mu    sync.Mutex
	said  bytes.Buffer
	text  []byte
	ready chan struct{}
	done  bool
}

func (r *readiness) Write(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.said.Write(b)
	if !r.done && bytes.Contains(r.said.Bytes(), r.text) {
		r.done = true
		close(r.ready)
	}
	return len(b), nil
}

func (r *readiness) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.said.String()
}
