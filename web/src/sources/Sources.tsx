import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { sources } from '../api/queries.ts'
import type { Source } from '../api/types.ts'
import { paneOf } from '../explore/state.ts'
import { HealthBadge } from '../ui/Badge.tsx'
import { Icon } from '../ui/icons.tsx'
import { Logo } from '../ui/Logo.tsx'
import { Empty, Failed, Loading } from '../ui/states.tsx'

export default function Sources() {
  const { data, error } = useQuery(sources())
  return (
    <div className="page">
      <header className="page-head">
        <h1>Data sources</h1>
        <span className="spread" />
        <Link className="button primary" to="/datasources/new"><Icon name="plus" />Add a data source</Link>
      </header>
      {error && <Failed error={error} />}
      {!data && !error && <Loading />}
      {data?.length === 0 && <Empty title="No data source yet"><p>A data source is one thing that a plugin asks: a database, a server, a file.</p></Empty>}
      <ul className="rows">{data?.map((s) => <Row key={s.uid} source={s} />)}</ul>
    </div>
  )
}

function Row({ source }: { source: Source }) {
  return (
    <li className="row card">
      <Logo url={source.typeLogoUrl} />
      <div className="row-text">
        <Link to="/datasources/$uid" params={{ uid: source.uid }}>{source.name}</Link>
        <span className="quiet">{source.typeName || source.type} · {source.uid}{source.url && ` · ${source.url}`}</span>
      </div>
      <div className="row-state">
        {source.isDefault && <span className="badge plain-badge">default</span>}
        {source.readOnly && <span className="badge plain-badge" title="From a provisioning file"><Icon name="lock" />provisioned</span>}
        <HealthBadge uid={source.uid} />
      </div>
      <Link className="button" to="/explore" search={{ panes: [paneOf(source.uid)] }} aria-label={`Explore ${source.name}`}><Icon name="explore" />Explore</Link>
    </li>
  )
}
