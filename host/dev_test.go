package host_test

import (
	"testing"
	"time"

	"github.com/plugboard/plugboard/host"
	"github.com/plugboard/plugboard/internal/badplugin"
)

// TestDevDirs: a plugin that somebody works at needs no signature, and is
// reloaded when it has changed.
func TestDevDirs(t *testing.T) {
	c := host.Config{DevDirs: []string{release(t, "1.0.0", badplugin.Good)}, Wait: time.Minute}
	h := running(t, c)
	ready(t, h)
	for _, version := range []string{"1.0.1", "1.0.22"} {
		rewrite(t, c.DevDirs[0], version, badplugin.Good)
		eventually(t, "version "+version+" runs", func() bool { return versionOf(h) == version })
		ready(t, h)
	}
}
