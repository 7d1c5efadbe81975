package plugin

import (
	"net/http"
	"time"

	"github.com/plugboard/plugboard/wire"
)

// contextFromWire accepts what old hosts leave out.
func contextFromWire(message *wire.PluginContext) Context {
	c := Context{
		OrgID:         message.GetOrgId(),
		PluginID:      message.GetPluginId(),
		PluginVersion: message.GetPluginVersion(),
		Namespace:     message.GetNamespace(),
		GrafanaConfig: message.GetGrafanaConfig(),
		UserAgent:     message.GetUserAgent(),
		APIVersion:    message.GetApiVersion(),
	}
	if u := message.GetUser(); u != nil {
		c.User = &User{Login: u.Login, Name: u.Name, Email: u.Email, Role: u.Role}
	}
	if s := message.GetDataSourceInstanceSettings(); s != nil {
		c.DataSource = dataSourceFromWire(s)
	}
	if s := message.GetAppInstanceSettings(); s != nil {
		c.App = &AppSettings{
			JSON:       objectOrEmpty(s.JsonData),
			Secrets:    s.DecryptedSecureJsonData,
			Updated:    time.UnixMilli(s.LastUpdatedMs),
			APIVersion: s.ApiVersion,
		}
	}
	return c
}

func dataSourceFromWire(s *wire.DataSourceInstanceSettings) *DataSourceSettings {
	return &DataSourceSettings{
		ID:            s.Id,
		UID:           s.Uid,
		Name:          s.Name,
		URL:           s.Url,
		User:          s.User,
		Database:      s.Database,
		BasicAuth:     s.BasicAuthEnabled,
		BasicAuthUser: s.BasicAuthUser,
		JSON:          objectOrEmpty(s.JsonData),
		Secrets:       s.DecryptedSecureJsonData,
		Updated:       time.UnixMilli(s.LastUpdatedMs),
		APIVersion:    s.ApiVersion,
	}
}

func objectOrEmpty(object []byte) []byte {
	if len(object) == 0 {
		return []byte("{}")
	}
	return object
}

// millis sends the zero time as 0 rather than as the year 1.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func queryFromWire(q *wire.DataQuery) DataQuery {
	return DataQuery{
		RefID:         q.RefId,
		QueryType:     q.QueryType,
		MaxDataPoints: q.MaxDataPoints,
		Interval:      time.Duration(q.IntervalMs) * time.Millisecond,
		TimeRange: TimeRange{
			From: time.UnixMilli(q.GetTimeRange().GetFromEpochMs()).UTC(),
			To:   time.UnixMilli(q.GetTimeRange().GetToEpochMs()).UTC(),
		},
		JSON: objectOrEmpty(q.Json),
	}
}

func queryResponseFromWire(message *wire.QueryDataResponse) *QueryResponse {
	response := &QueryResponse{Responses: make(map[string]Response, len(message.Responses))}
	for refID, r := range message.Responses {
		response.Responses[refID] = Response{
			Frames:      r.GetFrames(),
			Format:      Format(r.GetFormat()),
			Error:       r.GetError(),
			ErrorSource: sourceFromWire(r.GetErrorSource(), r.GetError()),
			Status:      statusOrGuess(int(r.GetStatus()), r.GetError()),
		}
	}
	return response
}

func chunkFromWire(m *wire.QueryChunkedDataResponse) Chunk {
	return Chunk{
		RefID:       m.RefId,
		FrameID:     m.FrameId,
		Frame:       m.Frame,
		Format:      Format(m.Format),
		Error:       m.Error,
		ErrorSource: sourceFromWire(m.ErrorSource, m.Error),
		Status:      statusOrGuess(int(m.Status), m.Error),
	}
}

// sourceFromWire reads the source only beside an error: one SQL layer in the
// field sets it on success too.
func sourceFromWire(source, failure string) ErrorSource {
	if failure == "" {
		return ""
	}
	return ErrorSource(source)
}

// statusOrGuess derives what SDKs before v0.159 left out.
func statusOrGuess(code int, failure string) int {
	switch {
	case code >= 100 && code <= 599:
		return code
	case failure != "" || code != 0:
		return http.StatusInternalServerError
	default:
		return http.StatusOK
	}
}
