package access

import (
	"fmt"
	"slices"
	"strings"

	"github.com/plugboard/plugboard/plugin"
)

// Role is what a user may do. Each includes what the ones before it may.
type Role string

const (
	// Viewer may see which data sources and plugins there are, and ask them:
	// queries, health checks, resources, streams.
	Viewer Role = "Viewer"
	// Editor may also publish to channels.
	Editor Role = "Editor"
	// Admin may do everything.
	Admin Role = "Admin"
)

// Includes reports whether who has r may do what least may. The zero Role may
// do nothing.
func (r Role) Includes(least Role) bool { return r.rank() > 0 && r.rank() >= least.rank() }

func (r Role) rank() int {
	return 1 + slices.Index([]Role{Viewer, Editor, Admin}, r)
}

// ParseRole reads the name of a role, in capitals or not.
func ParseRole(text string) (Role, error) {
	for _, role := range []Role{Viewer, Editor, Admin} {
		if strings.EqualFold(text, string(role)) {
			return role, nil
		}
	}
	return "", fmt.Errorf("%w: the role is Viewer, Editor or Admin, not %q", ErrInvalid, text)
}

// User is who asks. The zero User may do nothing.
type User struct {
	Login, Name, Email string
	Role               Role
	// DataSources are the uids of the only data sources that the user may see
	// and ask; none means all. The slice is not to be changed.
	DataSources []string
}

// Limited reports whether the user may ask some data sources only.
func (u User) Limited() bool { return len(u.DataSources) > 0 }

// MayAsk reports whether the user may see and ask the data source.
func (u User) MayAsk(uid string) bool {
	return u.Role.Includes(Viewer) && (!u.Limited() || slices.Contains(u.DataSources, uid))
}

// MayAskPlugins reports whether the user may ask plugins themselves, past all
// data sources: the resources and channels of apps.
func (u User) MayAskPlugins() bool { return u.Role.Includes(Viewer) && !u.Limited() }

// Plugin returns the user as plugins get to see them.
func (u User) Plugin() *plugin.User {
	return &plugin.User{Login: u.Login, Name: u.Name, Email: u.Email, Role: string(u.Role)}
}
