package dbtest

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/crypto/bcrypt"
)

// Prometheus runs a Prometheus until the test ends, and returns its URL. It
// scrapes itself and targets, URLs of metrics, every 200 ms, keeps exemplars, and
// wants basic auth of user ada with password pw. Where it is not installed the test is
// skipped or fails, as for PostgreSQL; its name is prometheus.
func Prometheus(t testing.TB, targets ...string) (url string) {
	t.Helper()
	binary, err := exec.LookPath("prometheus")
	if err != nil {
		absent(t, "prometheus", "prometheus")
	}
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	address, dir := "127.0.0.1:"+port, t.TempDir()
	hash, err := bcrypt.GenerateFromPassword([]byte("pw"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	config := fmt.Sprintf(`
global: {scrape_interval: 200ms, scrape_timeout: 200ms}
scrape_configs:
- {job_name: prometheus, basic_auth: {username: ada, password: pw}, static_configs: [{targets: [%q]}]}
`, address)
	for _, target := range targets {
		config += fmt.Sprintf("- {job_name: target, static_configs: [{targets: [%q]}]}\n", strings.TrimPrefix(target, "http://"))
	}
	for name, text := range map[string]string{"prometheus.yml": config, "web.yml": fmt.Sprintf("basic_auth_users: {ada: %q}\n", hash)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var log bytes.Buffer
	command := exec.Command(binary, "--config.file=prometheus.yml", "--web.config.file=web.yml", "--storage.tsdb.path=data",
		"--web.listen-address="+address, "--enable-feature=exemplar-storage", "--log.level=warn")
	command.Dir, command.Stdout, command.Stderr = dir, &log, &log
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Signal(syscall.SIGTERM)
		_ = command.Wait()
		if t.Failed() {
			t.Log(log.String())
		}
	})
	return "http://" + address
}
