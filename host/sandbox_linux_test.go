package host_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/plugboard/plugboard/host"
	"github.com/plugboard/plugboard/internal/badplugin"
)

// besides runs a host of the bad plugin under a policy, and of another one that
// answers queries all the while: no test ends well if one of them fails.
func besides(t *testing.T, mode string, policy host.Policy) *host.Host {
	t.Helper()
	bad, steady := bundled(mode), bundled(badplugin.Good)
	bad.Manifest = badplugin.Manifest("bad", mode)
	bad.Policy = policy
	steady.Manifest = badplugin.Manifest("steady", badplugin.Good)
	h := running(t, host.Config{Bundled: []host.Bundled{bad, steady}, StateDir: t.TempDir()})
	mustAsk(t, h, "steady", badplugin.Order{})

	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	var asked, failed int
	go func() {
		defer close(ended)
		for asked == 0 || ctx.Err() == nil {
			asked++
			if _, err := h.Query(context.Background(), queryOf("steady", badplugin.Order{Say: "x"})); err != nil {
				failed++
				t.Log(err)
			}
		}
	}()
	t.Cleanup(func() {
		stop()
		<-ended
		if failed > 0 {
			t.Errorf("%d of the other plugin's %d queries failed", failed, asked)
		}
	})
	return h
}

// require skips a test on a machine that lacks a tier.
func require(t *testing.T, h *host.Host, names ...string) {
	t.Helper()
	for _, tier := range h.Tiers() {
		for _, name := range names {
			if tier.Tier == name && !tier.On {
				t.Skipf("no %s here: %s", name, tier.Detail)
			}
		}
	}
}

// tells reports whether a tier's detail names something: older kernels' Landlock
// has no ports, signals or abstract sockets.
func tells(h *host.Host, name, what string) bool {
	for _, tier := range h.Tiers() {
		if tier.Tier == name {
			return strings.Contains(tier.Detail, what)
		}
	}
	return false
}

// tcpServer listens until the end of the test.
func tcpServer(t *testing.T) (address, port string) {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	address = listener.Addr().String()
	_, port, _ = net.SplitHostPort(address)
	return address, port
}

// TestSandboxDefault orders a plugin at level default to do what it should not,
// and what it should.
func TestSandboxDefault(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	granted := t.TempDir()
	for _, path := range []string{secret, filepath.Join(granted, "data")} {
		if err := os.WriteFile(path, []byte("x"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	address, _ := tcpServer(t)
	abstract, err := new(net.ListenConfig).Listen(t.Context(), "unix", "@plugboard-test-"+filepath.Base(granted)+strconv.Itoa(os.Getpid()))
	if err != nil {
		t.Fatal(err)
	}
	defer abstract.Close()

	h := besides(t, badplugin.Good, host.Policy{Read: []string{granted}})
	require(t, h, "landlock", "seccomp")
	const denied, refused = "permission denied", "operation not permitted"
	for _, test := range []struct {
		order badplugin.Order
		want  string
	}{
		{badplugin.Order{Do: badplugin.DoRead, Say: filepath.Join(granted, "data")}, "done"},
		{badplugin.Order{Do: badplugin.DoRead, Say: "/proc/self/environ"}, "done"},
		{badplugin.Order{Do: badplugin.DoRead, Say: "/etc/hosts"}, "done"},
		{badplugin.Order{Do: badplugin.DoConnect, Say: address}, "done"},
		{badplugin.Order{Do: badplugin.DoListen}, "done"},

		{badplugin.Order{Do: badplugin.DoRead, Say: "/etc/passwd"}, denied},
		{badplugin.Order{Do: badplugin.DoRead, Say: "/etc/shadow"}, denied},
		{badplugin.Order{Do: badplugin.DoRead, Say: secret}, denied},
		{badplugin.Order{Do: badplugin.DoWrite, Say: filepath.Join(granted, "data")}, denied},
		{badplugin.Order{Do: badplugin.DoWrite, Say: filepath.Join(granted, "more")}, denied},
		{badplugin.Order{Do: badplugin.DoRead, Say: "/proc/PPID/environ"}, denied},
		{badplugin.Order{Do: badplugin.DoRead, Say: "/proc/PPID/mem"}, denied},
		{badplugin.Order{Do: badplugin.DoRead, Say: "/proc/PPID/cmdline"}, denied},
		{badplugin.Order{Do: badplugin.DoAbstract, Say: abstract.Addr().String()}, refused},
		{badplugin.Order{Do: badplugin.DoSignal}, refused},
		{badplugin.Order{Do: badplugin.DoTrace}, refused},
		{badplugin.Order{Do: badplugin.DoPeek}, refused},
		{badplugin.Order{Do: badplugin.DoUnshare}, refused},
		{badplugin.Order{Do: badplugin.DoRing}, refused},
		{badplugin.Order{Do: badplugin.DoRaise}, refused},
		{badplugin.Order{Do: badplugin.DoMPTCP, Say: address}, "protocol not supported"},
	} {
		t.Run(test.order.Do+strings.ReplaceAll(test.order.Say, "/", " "), func(t *testing.T) {
			if (test.order.Do == badplugin.DoSignal || test.order.Do == badplugin.DoAbstract) && !tells(h, "landlock", "signals") {
				t.Skip("this kernel's Landlock has no scopes")
			}
			if got := mustAsk(t, h, "bad", test.order); !strings.HasSuffix(got, test.want) {
				t.Errorf("%q, want %q", got, test.want)
			}
		})
	}
}

// At level off the same orders succeed: it is the sandbox that the tests above
// see.
func TestSandboxOff(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	address, _ := tcpServer(t)
	h := besides(t, badplugin.Good, host.Policy{Level: "off"})
	for _, order := range []badplugin.Order{
		{Do: badplugin.DoRead, Say: secret},
		{Do: badplugin.DoRead, Say: "/etc/passwd"},
		{Do: badplugin.DoRead, Say: "/proc/PPID/cmdline"},
		{Do: badplugin.DoRead, Say: "/proc/PPID/environ"},
		{Do: badplugin.DoSignal},
		{Do: badplugin.DoMPTCP, Say: address},
		{Do: badplugin.DoFastOpen, Say: address},
	} {
		if got := mustAsk(t, h, "bad", order); got != "done" {
			t.Errorf("%s %s: %q", order.Do, order.Say, got)
		}
	}
}

// A host that no other process may look into has no less to confine with.
func TestSandboxOfHostThatCannotBeDumped(t *testing.T) {
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		t.Fatal(err)
	}
	defer unix.Prctl(unix.PR_SET_DUMPABLE, 1, 0, 0, 0)
	h := besides(t, badplugin.Good, host.Policy{Level: "strict"})
	require(t, h, "namespaces")
	if pid := mustAsk(t, h, "bad", badplugin.Order{Do: badplugin.DoPID}); pid != "1" {
		t.Errorf("it is process %s", pid)
	}
	if dumpable, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0); dumpable != 0 {
		t.Errorf("the host can be dumped: %d, %v", dumpable, err)
	}
}

// Nothing of what plugins are denied is denied to the host, on any of its
// threads.
func TestSandboxLeavesTheHostAlone(t *testing.T) {
	besides(t, badplugin.Good, host.Policy{})
	threads, err := filepath.Glob("/proc/self/task/*/status")
	if err != nil || len(threads) < 2 {
		t.Fatalf("threads %v, %v", threads, err)
	}
	for _, thread := range threads {
		status, err := os.ReadFile(thread)
		if err != nil {
			continue // it has ended
		}
		for _, want := range []string{"NoNewPrivs:\t0\n", "Seccomp:\t0\n"} {
			if !strings.Contains(string(status), want) {
				t.Errorf("%s has no %q", thread, want)
			}
		}
	}
	if _, err := os.ReadFile("/etc/passwd"); err != nil {
		t.Error(err)
	}
}

// Other plugins' folders are as closed as any other; its own is open to read.
func TestSandboxFolders(t *testing.T) {
	root := t.TempDir()
	for _, id := range []string{"one", steady} {
		if _, err := badplugin.Install(filepath.Join(root, id), id, badplugin.Good); err != nil {
			t.Fatal(err)
		}
	}
	state := t.TempDir()
	h := running(t, host.Config{PluginDirs: []string{root}, AllowUnsigned: []string{"*"}, StateDir: state})
	require(t, h, "landlock")
	mustAsk(t, h, steady, badplugin.Order{}) // makes its state folder
	load(t, h)
	for path, want := range map[string]string{
		filepath.Join(root, "one", "plugin.json"):  "done",
		filepath.Join(root, steady, "plugin.json"): "permission denied",
	} {
		if got := mustAsk(t, h, "one", badplugin.Order{Do: badplugin.DoRead, Say: path}); !strings.HasSuffix(got, want) {
			t.Errorf("read %s: %q", path, got)
		}
	}
	for path, want := range map[string]string{
		filepath.Join(state, "one", "kept"):         "done",
		filepath.Join(state, steady, "kept"):        "permission denied",
		filepath.Join(root, "one", "plugin.json"):   "permission denied",
		filepath.Join(root, "one", "somethingelse"): "permission denied",
	} {
		if got := mustAsk(t, h, "one", badplugin.Order{Do: badplugin.DoWrite, Say: path}); !strings.HasSuffix(got, want) {
			t.Errorf("write %s: %q", path, got)
		}
	}
}

// The ports of a policy hold also for those who go round TCP as Landlock sees it.
func TestSandboxPorts(t *testing.T) {
	allowed, port := tcpServer(t)
	other, _ := tcpServer(t)
	h := besides(t, badplugin.Good, host.Policy{Network: port})
	require(t, h, "landlock", "seccomp")
	if !tells(h, "landlock", "ports") {
		t.Skip("this kernel's Landlock has no ports")
	}
	for _, test := range []struct{ do, to, want string }{
		{badplugin.DoConnect, allowed, "done"},
		{badplugin.DoConnect, other, "permission denied"},
		{badplugin.DoMPTCP, other, "protocol not supported"},
		{badplugin.DoFastOpen, other, "operation not supported"},
		{badplugin.DoListen, "", "permission denied"},
	} {
		if got := mustAsk(t, h, "bad", badplugin.Order{Do: test.do, Say: test.to}); !strings.HasSuffix(got, test.want) {
			t.Errorf("%s: %q, want %q", test.do, got, test.want)
		}
	}
}

func TestSandboxWithoutNetwork(t *testing.T) {
	address, _ := tcpServer(t)
	h := besides(t, badplugin.Good, host.Policy{Network: "none"})
	require(t, h, "seccomp")
	if got := mustAsk(t, h, "bad", badplugin.Order{Do: badplugin.DoConnect, Say: address}); !strings.HasSuffix(got, "permission denied") {
		t.Errorf("connect: %q", got)
	}
}

// At level strict a plugin is alone in its world.
func TestSandboxStrict(t *testing.T) {
	address, _ := tcpServer(t)
	h := besides(t, badplugin.Good, host.Policy{Level: "strict", Required: []string{"namespaces"}})
	require(t, h, "namespaces")
	if pid := mustAsk(t, h, "bad", badplugin.Order{Do: badplugin.DoPID}); pid != "1" {
		t.Errorf("it is process %s", pid)
	}
	host := strconv.Itoa(os.Getpid())
	for _, test := range []struct{ do, say, want string }{
		{badplugin.DoRead, "/proc/1/stat", "done"},
		{badplugin.DoRead, "/proc/" + host + "/stat", "no such file or directory"},
		{badplugin.DoConnect, address, "permission denied"},
		{badplugin.DoUnshare, "", "operation not permitted"},
	} {
		if got := mustAsk(t, h, "bad", badplugin.Order{Do: test.do, Say: test.say}); !strings.HasSuffix(got, test.want) {
			t.Errorf("%s %s: %q, want %q", test.do, test.say, got, test.want)
		}
	}
}

// Memory is counted as data, not as addresses: a plugin in Go runs in little,
// and dies alone when it wants more.
func TestSandboxMemory(t *testing.T) {
	if raced {
		t.Skip("the race detector takes more memory than this")
	}
	h := besides(t, badplugin.Good, host.Policy{Memory: 200 << 20})
	require(t, h, "limits")
	if got := mustAsk(t, h, "bad", badplugin.Order{Do: badplugin.DoAllocate, Size: 20 << 20}); got != "done" {
		t.Errorf("20 MiB of 200: %q", got)
	}
	if got, err := ask(t, h, "bad", badplugin.Order{Do: badplugin.DoAllocate, Size: 2 << 30}); err == nil {
		t.Errorf("2 GiB of 200 MiB: %q", got)
	}
	mustAsk(t, h, "bad", badplugin.Order{}) // the next process
	if p, _ := h.Plugin("bad"); p.LastExit == nil || !p.LastExit.OutOfMemory || p.Exits["out of memory"] != 1 || p.LastExit.PeakRSS > 400<<20 {
		t.Errorf("it ended with %q, %+v", p.LastError, p.LastExit)
	}
}

func TestSandboxFiles(t *testing.T) {
	h := besides(t, badplugin.Good, host.Policy{Files: 64})
	require(t, h, "limits")
	if got := mustAsk(t, h, "bad", badplugin.Order{Do: badplugin.DoLeak, Size: 1000}); !strings.HasSuffix(got, "too many open files") {
		t.Errorf("1000 files of 64: %q", got)
	}
	mustAsk(t, h, "bad", badplugin.Order{})
}

// A fork bomb gets as many processes as there may be, and the host stays as it
// is. They end with the plugin.
func TestSandboxProcesses(t *testing.T) {
	h := besides(t, badplugin.Good, host.Policy{Processes: 60})
	require(t, h, "seccomp")
	if tells(h, "seccomp", "not counted") {
		t.Skip("this kernel does not ask before a process is made")
	}
	got := mustAsk(t, h, "bad", badplugin.Order{Do: badplugin.DoFork, Size: 100})
	if !strings.HasSuffix(got, "resource temporarily unavailable") || strings.HasPrefix(got, "0 ") {
		t.Errorf("100 children of about 10: %q", got)
	}
	mustAsk(t, h, "bad", badplugin.Order{})
}

// A descriptor that the host has inherited without knowing stays with the host.
func TestSandboxDescriptors(t *testing.T) {
	file, err := os.CreateTemp(t.TempDir(), "inherited")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	fd, err := syscall.Dup(int(file.Fd())) // is not closed on exec
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(fd)
	h := besides(t, badplugin.Good, host.Policy{})
	require(t, h, "limits")
	if open := mustAsk(t, h, "bad", badplugin.Order{Do: badplugin.DoOpen}); strings.Contains(open, "inherited") || !strings.Contains(open, "pipe:") {
		t.Errorf("open in the plugin: %s", open)
	}
}

// A plugin of root's is root by its number only.
func TestSandboxCapabilities(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("there are none to lose")
	}
	h := besides(t, badplugin.Good, host.Policy{})
	mustAsk(t, h, "bad", badplugin.Order{})
	p, _ := h.Plugin("bad")
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.PID))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"CapPrm:\t0000000000000000\n", "CapEff:\t0000000000000000\n", "CapBnd:\t0000000000000000\n", "NoNewPrivs:\t1\n", "Seccomp:\t2\n"} {
		if !strings.Contains(string(status), want) {
			t.Errorf("no %q in\n%s", want, status)
		}
	}
}

// What a policy requires and is not to be had is said as the plugin's fault.
func TestSandboxRequired(t *testing.T) {
	h := besides(t, badplugin.Good, host.Policy{Required: []string{"cgroup"}})
	for _, tier := range h.Tiers() {
		if tier.Tier == "cgroup" && tier.On {
			t.Skip("cgroups are delegated to this test")
		}
	}
	eventually(t, "the plugin is not started", func() bool {
		p, _ := h.Plugin("bad")
		return strings.Contains(p.LastError, "requires the tier cgroup")
	})
}

func TestSandboxIsTold(t *testing.T) {
	h := besides(t, badplugin.Good, host.Policy{Level: "off"})
	p, _ := h.Plugin("bad")
	var told []string
	for _, tier := range p.Sandbox {
		told = append(told, fmt.Sprint(tier.Tier, " ", tier.On))
		if tier.Detail == "" {
			t.Errorf("nothing is said of %s", tier.Tier)
		}
	}
	if got := strings.Join(told, ", "); got != "limits true, landlock false, seccomp false, namespaces false, cgroup false" {
		t.Errorf("told: %s", got)
	}
}

// cgroupVariable names the folder that TestCgroup is to mount a hierarchy on.
const cgroupVariable = "PLUGBOARD_TEST_CGROUP"

// TestCgroup runs itself with mounts of its own, where it may have a cgroup v2
// hierarchy, whatever the machine has. Which controllers that has is logged: a
// machine that uses them in version 1 has few.
func TestCgroup(t *testing.T) {
	if dir := os.Getenv(cgroupVariable); dir != "" {
		testCgroup(t, dir)
		return
	}
	if os.Getuid() != 0 {
		t.Skip("to mount takes root")
	}
	cmd := exec.Command("/proc/self/exe", "-test.run=^TestCgroup$", "-test.v")
	cmd.Env = append(os.Environ(), cgroupVariable+"="+t.TempDir())
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	output, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v:\n%s", err, output)
	}
	for line := range strings.Lines(string(output)) {
		if strings.Contains(line, "cgroup:") {
			t.Log(line)
		}
	}
}

func testCgroup(t *testing.T, dir string) {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		t.Skip(err)
	}
	if err := unix.Mount("none", dir, "cgroup2", 0, ""); err != nil {
		t.Skip(err)
	}
	for _, controller := range []string{"+memory", "+cpu", "+pids"} {
		// Where version 1 has it, there is none to hand down.
		_ = os.WriteFile(filepath.Join(dir, "cgroup.subtree_control"), []byte(controller), 0)
	}
	root := filepath.Join(dir, "plugboard-test-"+strconv.Itoa(os.Getpid()))
	if err := os.Mkdir(root, 0o755); err != nil {
		t.Fatal(err)
	}
	defer os.Remove(root)
	bad := bundled(badplugin.Orphan)
	memory := int64(200 << 20)
	if raced { // which takes more
		memory = 8 << 30
	}
	bad.Policy = host.Policy{Required: []string{"cgroup"}, Memory: memory, Processes: 100, CPU: 0.5}
	h, err := host.New(host.Config{Bundled: []host.Bundled{bad}, Cgroup: root, Wait: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- h.Run(ctx) }()
	mustAsk(t, h, badplugin.Orphan, badplugin.Order{})
	groups, _ := filepath.Glob(filepath.Join(root, "plugboard-*", "cgroup.procs"))
	if len(groups) != 1 {
		t.Fatalf("groups %v", groups)
	}
	members, err := os.ReadFile(groups[0])
	if n := strings.Count(string(members), "\n"); err != nil || n != 3 {
		t.Errorf("%d processes in the group, want the plugin and its two children: %v", n, err)
	}
	for _, tier := range h.Tiers() {
		if tier.Tier == "cgroup" {
			t.Logf("cgroup: %+v", tier)
		}
	}
	for file, want := range map[string]string{"memory.max": strconv.FormatInt(memory, 10), "pids.max": "100", "cpu.max": "50000 100000"} {
		value, err := os.ReadFile(filepath.Join(filepath.Dir(groups[0]), file))
		if os.IsNotExist(err) {
			continue // no controller
		}
		t.Logf("cgroup: %s %s", file, value)
		if strings.TrimSpace(string(value)) != want {
			t.Errorf("%s is %s, want %s: %v", file, value, want, err)
		}
	}
	cancel()
	<-ended
	if left, _ := filepath.Glob(filepath.Join(root, "*", "cgroup.procs")); len(left) > 0 {
		t.Errorf("groups are left: %v", left)
	}
}

// TestUnprivileged runs the tests above as a user without any right.
func TestUnprivileged(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("the other tests already are")
	}
	dir, err := os.MkdirTemp("", "unprivileged")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	const nobody = 65534
	if err := os.Chown(dir, nobody, nobody); err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "test")
	copyFile(t, "/proc/self/exe", program)
	cmd := exec.Command(program, "-test.run=^TestSandbox", "-test.v")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "TMPDIR="+dir, "GOCOVERDIR="+dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	output, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v:\n%s", err, output)
	}
	for line := range strings.Lines(string(output)) {
		if strings.Contains(line, "--- SKIP") || strings.Contains(line, "here:") {
			t.Log(line)
		}
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	source, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	target, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.Copy(target, source)
	if closed := target.Close(); err != nil || closed != nil {
		t.Fatal(err, closed)
	}
}
