package plugin

import (
	"bytes"
	"maps"
)

// sameSettings compares what an instance is made from, by value: a host that
// forgets to move Updated is forgiven. GrafanaConfig is left out, since it
// changes for reasons that should not drop a pool of connections.
func sameSettings(a, b Context) bool {
	switch {
	case a.DataSource != nil && b.DataSource != nil:
		return sameDataSource(a.DataSource, b.DataSource)
	case a.App != nil && b.App != nil:
		return a.App.Updated.Equal(b.App.Updated) && a.App.APIVersion == b.App.APIVersion &&
			bytes.Equal(a.App.JSON, b.App.JSON) && maps.Equal(a.App.Secrets, b.App.Secrets)
	}
	return a.DataSource == b.DataSource && a.App == b.App
}

func sameDataSource(a, b *DataSourceSettings) bool {
	return a.Updated.Equal(b.Updated) && a.ID == b.ID && a.UID == b.UID && a.Name == b.Name &&
		a.URL == b.URL && a.User == b.User && a.Database == b.Database &&
		a.BasicAuth == b.BasicAuth && a.BasicAuthUser == b.BasicAuthUser && a.APIVersion == b.APIVersion &&
		bytes.Equal(a.JSON, b.JSON) && maps.Equal(a.Secrets, b.Secrets)
}
