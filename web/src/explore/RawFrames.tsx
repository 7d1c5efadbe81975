import { formatCount, formatValue } from '../frame/format.ts'
import type { Frame } from '../frame/frame.ts'

// More sections than this are no help to anybody.
const most = 50

/** Frames as they are: what columns there are, and what is said about them. */
export default function RawFrames({ frames }: { frames: Frame[] }) {
  return (
    <div className="raw-frames">
      {frames.slice(0, most).map((frame, i) => (
        <section key={i} className="card">
          <h3>{frame.name || 'Frame without a name'} <span className="quiet">{frame.refId} · {formatCount(frame.length)} rows</span></h3>
          <div className="scroll" tabIndex={0} role="region" aria-label={`Fields of frame ${i + 1}`}>
            <table className="plain">
              <thead><tr><th>Field</th><th>Type</th><th>Labels</th><th>Config</th><th>First value</th></tr></thead>
              <tbody>
                {frame.fields.map((field, j) => (
                  <tr key={j}>
                    <td>{field.name}</td><td>{field.type}</td><td><code>{textOf(field.labels)}</code></td><td><code>{textOf(field.config)}</code></td>
                    <td><code>{field.values.length ? JSON.stringify(field.values[0])?.slice(0, 80) : ''}</code>{field.type === 'enum' && field.values.length > 0 && ` ${formatValue(field.values[0], field)}`}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
          {Object.keys(frame.meta).length > 0 && <pre tabIndex={0}>{JSON.stringify(frame.meta, null, 2)}</pre>}
        </section>
      ))}
      {frames.length > most && <p className="hint">The first {most} of {formatCount(frames.length)} frames are shown.</p>}
    </div>
  )
}

const textOf = (object?: object) => (object && Object.keys(object).length ? JSON.stringify(object) : '')
