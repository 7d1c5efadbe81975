package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// container says what a runtime adds to an image.
type container struct {
	env []string
	// data and tmp are the modes and owners of what can be written to.
	dataMode, tmpMode os.FileMode
	dataOwner         int
}

// The image runs as Docker does it by default, and as Kubernetes does with
// packaging/kubernetes.yaml: another user than root, no new privileges, no
// capabilities, and a root that nobody can write to.
func TestImage(t *testing.T) {
	needsRoot(t, "unshare", "mount", "chroot", "setpriv", "nsenter", "ip")
	for name, c := range map[string]container{
		"docker": {
			env:      []string{"PLUGBOARD_ADMIN_PASSWORD=" + password},
			dataMode: 0o700, dataOwner: 65532, tmpMode: 0o777 | os.ModeSticky,
		},
		"kubernetes": {
			env:      podEnvironment(t),
			dataMode: 0o775 | os.ModeSetgid, tmpMode: 0o777 | os.ModeSetgid,
		},
	} {
		t.Run(name, func(t *testing.T) {
			i := buildImage(t, released(t))
			pid := i.run(t, c)
			i.becomesHealthy(t, pid)
			mounted, _ := os.ReadFile(fmt.Sprintf("/proc/%d/mountinfo", pid))
			if !bytes.Contains(mounted, []byte(" / ro,")) {
				t.Errorf("its root is not read-only:\n%s", mounted)
			}
			status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
			for _, want := range []string{"\nUid:\t65532\t", "\nGid:\t65532\t", "\nNoNewPrivs:\t1\n", "\nCapEff:\t0000000000000000\n"} {
				if !bytes.Contains(status, []byte(want)) {
					t.Errorf("its status lacks %q:\n%s", want, status)
				}
			}
			answer, err := i.inside(t, pid, "/usr/bin/plugboard", "query", "demo", "table")
			if err != nil || !strings.Contains(answer, "wave4") {
				t.Errorf("the bundled plugin answers %s, %v", answer, err)
			}
		})
	}
}

// podEnvironment is what the container's environment is in the pod, where the
// secrets are ours.
func podEnvironment(t *testing.T) []string {
	t.Helper()
	var env []string
	_, _, set := manifests(t)
	for _, e := range set.Spec.Template.Spec.Containers[0].Env {
		if e.ValueFrom != nil {
			e.Value = password
		}
		env = append(env, e.Name+"="+e.Value)
	}
	return env
}

// launch makes namespaces of mounts, processes and network, and a root with
// four things mounted over it; then it becomes a user who may do nothing.
const launch = `
ip link set lo up
mount --bind "$root" "$root"
mount --bind "$volumes/data" "$root/home/nonroot"
mount --bind "$volumes/tmp" "$root/tmp"
mount --bind -o ro "$volumes/etc" "$root/etc/plugboard"
mount --rbind /dev "$root/dev"
mount -t proc proc "$root/proc"
mount -o remount,bind,ro "$root"
exec setpriv --no-new-privs chroot --userspec="$user" --groups="${user#*:}" "$root" "$@"
`

// run starts the image and returns the process that is number one inside.
func (i image) run(t *testing.T, c container) (pid int) {
	t.Helper()
	if !slices.Equal(i.volumes, []string{"/home/nonroot"}) {
		t.Fatalf("the test mounts /home/nonroot, the image wants %q", i.volumes)
	}
	volumes := i.makeVolumes(t, c)
	cmd := exec.Command("unshare", append([]string{
		"--mount", "--pid", "--net", "--fork", "--kill-child", "sh", "-euc", launch, "sh",
	}, i.command...)...)
	cmd.Env = append(append([]string{"PATH=" + os.Getenv("PATH"), "PLUGBOARD_PROVISIONING=/etc/plugboard/provisioning"}, i.env...), c.env...)
	cmd.Env = append(cmd.Env, "root="+i.root, "volumes="+volumes, fmt.Sprintf("user=%d:%d", i.uid, i.gid))
	var printed bytes.Buffer
	cmd.Stdout, cmd.Stderr = &printed, &printed
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if pid != 0 && syscall.Kill(pid, syscall.SIGTERM) != nil {
			t.Error("it ended before")
		} else if pid == 0 {
			cmd.Process.Kill()
		}
		if err := cmd.Wait(); err != nil || t.Failed() {
			t.Errorf("it ended with %v, printing\n%s", err, printed.String())
		}
	})
	children := fmt.Sprintf("/proc/%d/task/%[1]d/children", cmd.Process.Pid)
	eventually(t, func() error {
		text, err := os.ReadFile(children)
		if err == nil {
			_, err = fmt.Sscan(string(text), &pid)
		}
		return err
	})
	return pid
}

// makeVolumes makes what the runtime would mount.
func (i image) makeVolumes(t *testing.T, c container) string {
	t.Helper()
	volumes := t.TempDir()
	// Whoever is inside must get through the folders of the test to it.
	for dir := volumes; dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
		check(t, os.Chmod(dir, 0o755))
	}
	check(t, os.MkdirAll(filepath.Join(volumes, "etc/provisioning/datasources"), 0o755))
	check(t, os.MkdirAll(filepath.Join(i.root, "etc/plugboard"), 0o755))
	check(t, os.WriteFile(filepath.Join(volumes, "etc/provisioning/datasources/demo.yaml"), []byte(
		"apiVersion: 1\ndatasources: [{name: demo, uid: demo, type: testdata}]\n"), 0o644))
	key := filepath.Join(volumes, "etc", "secret.key")
	check(t, os.WriteFile(key, bytes.Repeat([]byte("0123456789abcdef"), 4), 0o440))
	check(t, os.Chown(key, 0, i.gid))
	check(t, os.Chmod(key, 0o440))
	for name, mode := range map[string]os.FileMode{"data": c.dataMode, "tmp": c.tmpMode} {
		dir := filepath.Join(volumes, name)
		check(t, os.Mkdir(dir, 0o755))
		owner := 0
		if name == "data" {
			owner = c.dataOwner
		}
		check(t, os.Chown(dir, owner, i.gid))
		check(t, os.Chmod(dir, mode))
	}
	return volumes
}

// inside runs a command in the container, as `docker exec` does.
func (i image) inside(t *testing.T, pid int, command ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "nsenter", append([]string{
		"--target", fmt.Sprint(pid), "--mount", "--pid", "--net", "--root", "--setuid", fmt.Sprint(i.uid), "--setgid", fmt.Sprint(i.gid),
	}, command...)...)
	cmd.Env = append(i.env, "PLUGBOARD_PASSWORD="+password)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (i image) becomesHealthy(t *testing.T, pid int) {
	t.Helper()
	eventually(t, func() error {
		out, err := i.inside(t, pid, i.health...)
		if err != nil {
			return fmt.Errorf("%q: %w: %s", i.health, err, out)
		}
		return nil
	})
}

// eventually tries until there is no error.
func eventually(t *testing.T, try func() error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for {
		err := try()
		if err == nil {
			return
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			t.Fatal(err)
		}
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
