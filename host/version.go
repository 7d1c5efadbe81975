package host

import (
	"sync"
	"sync/atomic"

	"github.com/plugboard/plugboard/host/internal/catalog"
	"github.com/plugboard/plugboard/host/internal/trust"
)

// version is a plugin as it lies in one folder.
type version struct {
	entry     *catalog.Entry
	signature trust.Signature
	// files are read when somebody asks for them.
	files func() catalog.Schema
	// installed is its folder of Config.VersionsDir, if it lies there.
	installed string
	// given is set when it was given up for the version before.
	given atomic.Bool
}

func (h *Host) newVersion(entry *catalog.Entry, signature trust.Signature) *version {
	return &version{
		entry: entry, signature: signature, installed: entry.Preferred,
		files: sync.OnceValue(func() catalog.Schema { return readSchema(entry, h.config.Logger) }),
	}
}

func (m *member) version() *version { return m.current.Load() }
