import { useQuery } from '@tanstack/react-query'
import { Link, Outlet, useLocation, useNavigate } from '@tanstack/react-router'
import { useLayoutEffect, useRef } from 'react'
import { user } from '../api/queries.ts'
import { Icon, type IconName } from '../ui/icons.tsx'
import { Menu, type Choice } from '../ui/Menu.tsx'
import { Failed, Loading } from '../ui/states.tsx'
import { Toasts } from '../ui/toast.tsx'
import { Mark } from './Mark.tsx'
import { openPalette, Palette } from './Palette.tsx'
import { SignIn } from './SignIn.tsx'
import { signOut, useSession } from './session.ts'
import { chooseTheme, useChosenTheme } from './theme.ts'

interface Room {
  to: string
  title: string
  icon: IconName
  /** It has no place of its own where there is little. */
  rare?: boolean
}

const rooms: { title?: string; rooms: Room[] }[] = [
  { rooms: [{ to: '/home', title: 'Home', icon: 'home' }] },
  {
    title: 'Look',
    rooms: [
      { to: '/explore', title: 'Explore', icon: 'explore' },
      { to: '/live', title: 'Live', icon: 'live', rare: true },
      { to: '/resources', title: 'Resources', icon: 'resources', rare: true },
    ],
  },
  {
    title: 'Set up',
    rooms: [
      { to: '/datasources', title: 'Data sources', icon: 'sources' },
      { to: '/plugins', title: 'Plugins', icon: 'plugins' },
    ],
  },
]

const all = rooms.flatMap((part) => part.rooms)

/** What is around every page. */
export function Shell() {
  const me = useQuery(user())
  const { out, lost } = useSession()
  const path = useLocation().pathname
  const was = useRef(path)
  // Before a page that knows better says what it is about.
  useLayoutEffect(() => {
    const room = all.find((r) => path.startsWith(r.to))
    document.title = room ? `${room.title} · Plugboard` : 'Plugboard'
    // What had the focus may be gone with the page before.
    if (path !== was.current && document.activeElement === document.body) document.getElementById('page')!.focus()
    was.current = path
  }, [path])
  const known = me.data && me.data.login !== 'anonymous' ? me.data : undefined
  return (
    <div className="shell">
      <a className="skip" href="#page">Skip to the page</a>
      <nav className="rail" aria-label="Main">
        <Link to="/home" className="brand" aria-label="Plugboard"><Mark /><span>Plugboard</span></Link>
        {rooms.map((part, i) => (
          <div className="rail-part" key={i}>
            {part.title && <h2>{part.title}</h2>}
            <ul>
              {part.rooms.map((room) => (
                <li key={room.to} className={room.rare ? 'rare' : undefined}><Link to={room.to} title={room.title}><Icon name={room.icon} /><span>{room.title}</span></Link></li>
              ))}
            </ul>
          </div>
        ))}
        <div className="rail-foot">
          <button type="button" className="rail-button" title="Search and commands (Ctrl+K)" onClick={openPalette}>
            <Icon name="search" /><span>Search <kbd>Ctrl K</kbd></span>
          </button>
          <ThemeMenu />
          {known && <button type="button" className="rail-button" title={`Sign out ${known.login}`} onClick={signOut}><Icon name="leave" /><span>Sign out</span></button>}
        </div>
        <More signedIn={known !== undefined} />
      </nav>
      <main id="page" tabIndex={-1}>
        {me.data ? <Outlet /> : out ? null : me.error ? <div className="page"><Failed error={me.error} again={() => void me.refetch()} /></div> : <Loading />}
      </main>
      <div className="lost" role="status">{lost && <p><span className="spinner" />The server does not answer. Trying again…</p>}</div>
      <Palette />
      <Toasts />
      {out && <SignIn ended={known !== undefined} />}
    </div>
  )
}

const themes: Choice[] = [
  { title: 'Like the system', act: () => chooseTheme('system') },
  { title: 'Light', act: () => chooseTheme('light') },
  { title: 'Dark', act: () => chooseTheme('dark') },
]

function ThemeMenu() {
  const chosen = useChosenTheme()
  const icon = chosen === 'dark' ? 'moon' : chosen === 'light' ? 'sun' : 'system'
  return <Menu className="rail-button" name="Theme" label={<><Icon name={icon} /><span>Theme</span></>} choices={themes} />
}

/** What has no place of its own at the foot of a phone. */
function More({ signedIn }: { signedIn: boolean }) {
  const navigate = useNavigate()
  return (
    <Menu className="rail-button more-button" name="More" label={<><Icon name="more" /><span>More</span></>} choices={[
      ...all.filter((room) => room.rare).map((room) => ({ title: room.title, act: () => void navigate({ to: room.to }) })),
      { title: 'Search and commands', act: openPalette },
      ...themes.map((theme) => ({ ...theme, hint: 'Theme' })),
      ...(signedIn ? [{ title: 'Sign out', act: () => void signOut() }] : []),
    ]} />
  )
}
