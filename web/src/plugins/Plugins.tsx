import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { pluginFaults, plugins } from '../api/queries.ts'
import type { Plugin } from '../api/types.ts'
import { formatAgo } from '../frame/format.ts'
import { StateBadge } from '../ui/Badge.tsx'
import { Icon } from '../ui/icons.tsx'
import { Logo } from '../ui/Logo.tsx'
import { Empty, Failed, Loading } from '../ui/states.tsx'
import { signatureOf } from './signature.ts'

export default function Plugins() {
  const { data, error } = useQuery(plugins())
  const faults = useQuery(pluginFaults()).data
  return (
    <div className="page">
      <header className="page-head"><h1>Plugins</h1></header>
      {error && <Failed error={error} />}
      {!data && !error && <Loading />}
      {data?.length === 0 && <Empty title="No plugin is installed"><p>The server looks for plugins in the folders of <code>--plugins</code>.</p></Empty>}
      {faults?.map((f) => <Failed key={f.path} error={new Error(`${f.pluginId || 'A plugin'} is not loaded: ${f.reason}`)}><p className="quiet">{f.path}</p></Failed>)}
      <ul className="rows">{data?.map((p) => <Row key={p.id} plugin={p} />)}</ul>
    </div>
  )
}

function Row({ plugin }: { plugin: Plugin }) {
  const { process, info } = plugin
  return (
    <li className="row card">
      <Logo url={info.logos.small} />
      <div className="row-text">
        <Link to="/plugins/$id" params={{ id: plugin.id }}>{plugin.name}</Link>
        <span className="quiet">{plugin.id} · {info.version} · {signatureOf(plugin)}</span>
        {process.lastError && process.state !== 'ready' && <span className="fault">{process.lastError}</span>}
      </div>
      <div className="row-state">
        {process.restarts > 0 && <span className="badge plain-badge"><Icon name="restart" />{process.restarts} restarts</span>}
        <StateBadge state={process.state} />
      </div>
      <span className="quiet row-time">{process.since && formatAgo(process.since)}</span>
    </li>
  )
}
