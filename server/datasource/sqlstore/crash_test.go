package sqlstore

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/plugboard/plugboard/server/datasource"
)

// writeHere makes the test binary a process that writes until it is killed.
const writeHere = "SQLSTORE_TEST_WRITE_HERE"

func TestMain(m *testing.M) {
	if dir := os.Getenv(writeHere); dir != "" {
		writeForever(dir)
	}
	os.Exit(m.Run())
}

// writeForever prints each change once the store has acknowledged it.
func writeForever(dir string) {
	ctx := context.Background()
	store, err := Open(ctx, dir, KeySource{})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	for i := 0; ; i++ {
		n := fmt.Sprintf("%d of process %d", i, os.Getpid())
		d := datasource.DataSource{Name: "source " + n, Type: "x", IsDefault: true, Secrets: map[string]string{"n": n}}
		d, err := store.Create(ctx, d)
		if err == nil {
			d.URL = "updated"
			_, err = store.Update(ctx, d)
		}
		if err == nil && i%3 == 0 {
			err = store.Delete(ctx, d.ID)
		}
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println(d.ID)
	}
}

// What was acknowledged survives kill -9 in the middle of writes, whole.
func TestKilledWhileWriting(t *testing.T) {
	dir := t.TempDir()
	acknowledged := int64(0)
	for round := range 5 {
		acknowledged = writeAndKill(t, dir, 20+round*7)
	}
	store := open(t, dir)
	var verdict string
	if err := store.db.QueryRowContext(t.Context(), "PRAGMA integrity_check").Scan(&verdict); err != nil || verdict != "ok" {
		t.Errorf("integrity: %s, %v", verdict, err)
	}
	all, err := store.DataSources(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defaults, newest := 0, int64(0)
	for _, d := range all {
		if d.Secrets["n"] != strings.TrimPrefix(d.Name, "source ") {
			t.Errorf("%s has the secret %q", d.Name, d.Secrets["n"])
		}
		if d.IsDefault {
			defaults++
		}
		newest = max(newest, d.ID)
	}
	if defaults > 1 {
		t.Errorf("%d defaults", defaults)
	}
	if newest < acknowledged-1 { // the newest may have been deleted
		t.Errorf("%d was acknowledged, %d is the newest there is", acknowledged, newest)
	}
	next, err := store.Create(t.Context(), datasource.DataSource{Name: "next", Type: "x"})
	if err != nil || next.ID <= acknowledged {
		t.Errorf("the next id is %d after %d, %v", next.ID, acknowledged, err)
	}
}

// writeAndKill returns the last id that was acknowledged.
func writeAndKill(t *testing.T, dir string, writes int) (last int64) {
	t.Helper()
	ctx := t.Context()
	child := exec.CommandContext(ctx, os.Args[0])
	child.Env = append(os.Environ(), writeHere+"="+dir)
	output, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(output)
	for range writes {
		if !lines.Scan() {
			t.Fatal("the writer stopped")
		}
		if _, err := fmt.Sscan(lines.Text(), &last); err != nil {
			t.Fatalf("the writer says %q", lines.Text())
		}
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	for lines.Scan() { // what it had still said
		fmt.Sscan(lines.Text(), &last) // cut off
	}
	child.Wait() // killed
	return last
}
