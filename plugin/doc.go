// Package plugin is both ends of the protocol between a host and a data
// source or app plugin: what an author implements and serves, and the Client
// through which a host makes the same calls.
//
// # For authors
//
// This is a whole data source:
//
//	func main() { plugin.Main(plugin.DataSource(open)) }
//
//	type settings struct {
//		URL string `json:"url" plugboard:"required"`
//		Key string `secret:"apiKey"`
//	}
//
//	type model struct {
//		City string `json:"city" plugboard:"text"`
//	}
//
//	type weather struct{ client *http.Client }
//
//	func open(ctx context.Context, s plugin.Settings[settings]) (*weather, error) { … }
//
//	func (w *weather) Query(ctx context.Context, q plugin.Query[model]) (frame.Frames, error) { … }
//
// What open returns is the instance of one data source: its connections, its
// caches. [DataSource] says when it is opened and closed, [Settings] what the tags
// of both structs may be. What else an instance can do is a method each:
//
//	CheckHealth       HealthChecker        Save & test
//	ServeHTTP         net/http.Handler     resources; WriteError answers with an error
//	RunStream         Streamer             live data, by a Sender and SendRows
//	Subscribe         Subscriber           who may listen, and what they see first
//	Publish           Publisher            what clients publish
//	QueryBatch        BatchQuerier         all queries of a request together
//	QueryChunks       ChunkQuerier         a large answer in pieces
//	Close             io.Closer            the end of the instance
//
// An error is the answer to a call: [Errorf] gives it a status, [BadRequest] and
// [Downstream] say that it is not the plugin's fault. [ContextFrom] and [HeadersFrom]
// tell who asks. [github.com/plugboard/plugboard/plugin/plugintest] runs a
// plugin inside a test, httpclient and sqlframe beside it are for web APIs and
// databases.
//
// # For hosts
//
// [NewClient] makes a [Client] of a connection to a plugin. Its calls take a
// [Context], which says for whom and against which settings, and answer with the
// types named after them: QueryRequest, QueryResponse and so on.
package plugin
