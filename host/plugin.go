package host

import (
	"encoding/json"
	"time"

	"github.com/plugboard/plugboard/host/internal/catalog"
)

// Plugin is an installed plugin and what its process is doing.
type Plugin struct {
	Manifest Manifest
	// Dir holds its plugin.json; empty for a bundled plugin.
	Dir string
	// Address is where a remote plugin is; empty for one that runs here.
	Address string
	// Parent is the id of the plugin in whose directory it lies.
	Parent    string
	Signature Signature
	// Signer is who has signed it; empty unless Signature is SignatureValid.
	Signer Signer
	State  State
	// PID is 0 unless State is StateReady or StateDegraded, and of a remote
	// plugin.
	PID int
	// Since is when State was entered.
	Since time.Time
	// Restarts counts the starts after the process had ended by itself.
	Restarts int
	// LastError is why the process ended or did not start, the last time.
	LastError string
	// Exits counts the ends of processes that nobody had asked for, by how:
	// "exit status 3", "signal: killed", "out of memory". LastExit is the last
	// of them, nil if there was none.
	Exits    map[string]int
	LastExit *Exit
	// NextStart is set while State is StateBackingOff.
	NextStart time.Time
	// Entered counts how often each state was entered.
	Entered map[State]int
	// Calls are under way, Waiting wait for their turn.
	Calls, Waiting int
	// Streams are running, however many listen to each.
	Streams int
	// Policy is what its process may do, and Sandbox which tiers see to that:
	// every tier once, none for a plugin without a backend.
	Policy  Policy
	Sandbox []SandboxTier
}

// State is what a plugin's process is doing.
type State string

const (
	StateNoBackend  State = "no backend"
	StateStarting   State = "starting"
	StateReady      State = "ready"
	StateDegraded   State = "degraded"    // it runs, but has not answered the last probes
	StateBackingOff State = "backing-off" // waiting for the next attempt to start
	// StateQuarantined: it has crashed too often, and waits for Start.
	StateQuarantined State = "quarantined"
	// StateStopped: before Run and after, and from Stop to Start.
	StateStopped State = "stopped"
)

// States are those of a plugin that has a backend.
var States = []State{StateStarting, StateReady, StateDegraded, StateBackingOff, StateQuarantined, StateStopped}

// Manifest is what the host reads of a plugin.json.
type Manifest struct {
	ID string
	// Type is "app", "datasource" or "panel".
	Type string
	Name string
	// Backend: there is a process to start, from Executable.
	Backend    bool
	Executable string
	Category   string
	// Aliases are former ids.
	Aliases []string
	Info    Info
	// Raw is the whole file.
	Raw json.RawMessage
}

// Info describes a plugin to people.
type Info struct {
	Version, Description, Updated string
	Author                        string
}

// Fault is something in the plugin directories that could not be loaded.
type Fault struct {
	// Path is the plugin.json or directory at fault.
	Path string
	// PluginID is empty where the file could not be read so far.
	PluginID string
	// Reason says what is wrong, and where.
	Reason string
	// Signature is set where the signature is at fault, and says how.
	Signature Signature
}

func (f Fault) Error() string { return f.Path + ": " + f.Reason }

func faultOf(f catalog.Fault) Fault {
	return Fault{Path: f.Path, PluginID: f.PluginID, Reason: f.Reason, Signature: Signature(f.Signature)}
}

// plugin tells of a member of which so many streams run.
func (m *member) plugin(streams int) Plugin {
	v := m.version()
	p := Plugin{
		Manifest:  manifest(v.entry.Manifest),
		Dir:       v.entry.Dir,
		Parent:    v.entry.Parent,
		Address:   m.address,
		Signature: Signature(v.signature.Status),
		Signer:    Signer{Type: v.signature.Type, Org: v.signature.Org, Key: v.signature.Key, KeyID: v.signature.KeyID},
		State:     StateNoBackend,
	}
	switch {
	case m.address != "":
		p.Signature = SignatureRemote
	case v.entry.Bundled:
		p.Signature = SignatureInternal
	}
	if m.supervisor == nil {
		return p
	}
	if m.address == "" { // else somebody else confines it, or nobody
		p.Policy, p.Sandbox = Policy(m.policy), m.tiers()
	}
	status := m.supervisor.Status()
	p.State, p.PID, p.Since, p.Restarts, p.NextStart = State(status.State), status.PID, status.Since, status.Restarts, status.NextStart
	p.Entered = make(map[State]int, len(status.Entered))
	for state, n := range status.Entered {
		p.Entered[State(state)] = n
	}
	p.Exits, p.LastExit = m.exits.told()
	p.Calls, p.Waiting = m.gate.Load()
	p.Streams = streams
	if status.LastError != nil {
		p.LastError = status.LastError.Error()
	}
	return p
}

func manifest(m catalog.Manifest) Manifest {
	return Manifest{
		ID: m.ID, Type: m.Type, Name: m.Name,
		Backend: m.Backend, Executable: m.Executable,
		Category: m.Category, Aliases: m.Aliases,
		Info: Info(m.Info), Raw: m.Raw,
	}
}
