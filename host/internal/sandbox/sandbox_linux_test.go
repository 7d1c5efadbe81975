package sandbox

import (
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// sleeper is a program that does nothing.
const sleeper = "/bin/sleep"

func TestPolicyIsValidated(t *testing.T) {
	for want, policy := range map[string]Policy{
		"":                   {},
		"level":              {Level: "lax"},
		"not absolute":       {Read: []string{"relative"}},
		"network":            {Network: "443,https"},
		"too little":         {Memory: 1 << 20},
		"too few":            {Files: 3},
		"negative":           {CPU: -1},
		"none of":            {Required: []string{"magic"}},
		"but the level is":   {Level: Off, Required: []string{Seccomp}},
		"neither any nor no": {Network: "0"},
	} {
		err := policy.Validate()
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", policy, err, want)
		}
	}
}

func TestMissingExecutableIsTheExecutablesFault(t *testing.T) {
	s := New(Config{})
	defer s.Close()
	cell, err := s.Cell(Subject{Private: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer cell.End()
	cmd := exec.Command(filepath.Join(t.TempDir(), "missing"))
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	err = cell.Start(cmd, func(int) {})
	defer cmd.Wait()
	if !os.IsNotExist(err) || !strings.Contains(err.Error(), "missing") {
		t.Errorf("error %v", err)
	}
}

// What a policy grants must be there, or nobody would know why it is denied.
func TestMissingGrantIsTold(t *testing.T) {
	s := New(Config{})
	defer s.Close()
	cell, err := s.Cell(Subject{Private: t.TempDir(), Policy: Policy{Read: []string{"/no/such/folder"}}})
	if err != nil {
		t.Fatal(err)
	}
	defer cell.End()
	cmd := exec.Command(sleeper, "60")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	err = cell.Start(cmd, func(int) {})
	defer cmd.Wait()
	if err == nil || !strings.Contains(err.Error(), "/no/such/folder") || !os.IsNotExist(unwrapped(err)) {
		t.Errorf("error %v", err)
	}
}

func unwrapped(err error) error {
	for {
		inner, ok := err.(interface{ Unwrap() error })
		if !ok {
			return err
		}
		err = inner.Unwrap()
	}
}

// What runs is the file that was open, whatever lies at its path.
func TestOpenFileIsExecuted(t *testing.T) {
	program := filepath.Join(t.TempDir(), "program") // where nothing else may be executed
	text, err := os.ReadFile(sleeper)
	if err != nil {
		t.Skip(err)
	}
	if err := os.WriteFile(program, text, 0o755); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(program)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	s := New(Config{})
	defer s.Close()
	cell, err := s.Cell(Subject{Private: t.TempDir(), Executable: file})
	if err != nil {
		t.Fatal(err)
	}
	defer cell.End()
	cmd := exec.Command("/bin/false")
	cmd.Args = []string{"sleep", "0"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cell.Start(cmd, func(int) {}); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("what is at the path was executed: %v", err)
	}
}

// insideVariable has TestInAContainer look at what there is inside one.
const insideVariable = "PLUGBOARD_TEST_INSIDE"

// A container's profile is much like our own filter: no namespaces, no mounts,
// no clone3. Inside, all else is there, and one filter stands on the other.
func TestInAContainer(t *testing.T) {
	if os.Getenv(insideVariable) != "" {
		insideContainer(t)
		return
	}
	s := New(Config{})
	defer s.Close()
	if !s.probed()[Seccomp].On {
		t.Skip(s.probed()[Seccomp].Detail)
	}
	cell := &Cell{sandbox: s, subject: Subject{Private: t.TempDir()}, order: order{Seccomp: true}}
	defer cell.End()
	cmd := exec.Command(os.Args[0], "-test.run=^TestInAContainer$", "-test.v")
	cmd.Env = append(os.Environ(), insideVariable+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var output strings.Builder
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cell.Start(cmd, func(int) {}); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v:\n%s", err, output.String())
	}
}

func insideContainer(t *testing.T) {
	s := New(Config{})
	defer s.Close()
	for tier, want := range map[Tier]bool{Limits: true, Landlock: true, Seccomp: true, Namespaces: false} {
		if found := s.probed()[tier]; found.On != want {
			t.Errorf("%s: %+v", tier, found)
		}
	}
	if _, err := s.Cell(Subject{Policy: Policy{Required: []string{Namespaces}}}); err == nil || !strings.Contains(err.Error(), "operation not permitted") {
		t.Errorf("namespaces, which are required: %v", err)
	}
	cell, err := s.Cell(Subject{Private: t.TempDir(), Policy: Policy{Level: Strict}})
	if err != nil {
		t.Fatal(err)
	}
	defer cell.End()
	cmd := exec.Command(sleeper, "0")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cell.Start(cmd, func(int) {}); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}

// A warden that was killed is replaced, and its successor knows all.
func TestWardenIsReplaced(t *testing.T) {
	w := warden{logger: slog.New(slog.DiscardHandler)}
	defer w.close()
	dir := filepath.Join(t.TempDir(), "private")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	child := exec.Command(sleeper, "60")
	child.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	w.watch(ward{PID: child.Process.Pid, Dir: dir, Lives: true})
	first := w.cmd
	_ = first.Process.Kill()
	for deadline := time.Now().Add(time.Minute); w.cmd == first && time.Now().Before(deadline); {
		w.watch(ward{PID: -1}) // a word about nobody
	}
	if w.cmd == first {
		t.Fatal("there is no other")
	}
	w.close() // as the host's death does
	if err := child.Wait(); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Errorf("the child of a host that is gone: %v", err)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("its folder is left: %v", err)
	}
}

// BenchmarkStart measures what each tier adds to the start of a program.
func BenchmarkStart(b *testing.B) {
	file := "/bin/true"
	b.Run("none", func(b *testing.B) {
		for b.Loop() {
			if err := exec.Command(file).Run(); err != nil {
				b.Fatal(err)
			}
		}
	})
	for _, tiers := range []struct {
		name   string
		policy Policy
	}{
		{"limits", Policy{Level: Off}},
		{"default", Policy{}},
		{"strict", Policy{Level: Strict}},
	} {
		b.Run(tiers.name, func(b *testing.B) {
			s := New(Config{})
			defer s.Close()
			s.probed()
			private := b.TempDir()
			for b.Loop() {
				cell, err := s.Cell(Subject{Private: private, Policy: tiers.policy})
				if err != nil {
					b.Fatal(err)
				}
				cmd := exec.Command(file)
				cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
				if err := cell.Start(cmd, func(int) {}); err != nil {
					b.Fatal(err)
				}
				if err := cmd.Wait(); err != nil {
					b.Fatal(err)
				}
				cell.End()
			}
		})
	}
	b.Run("probe", func(b *testing.B) {
		for b.Loop() {
			New(Config{}).probed()
		}
	})
}
