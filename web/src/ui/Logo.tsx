import { Icon } from './icons.tsx'

/** The logo of a plugin, or the sign of a plugin where it has no file of its own. */
export function Logo({ url }: { url: string }) {
  return url.startsWith('public/plugins/') ? <img className="logo" src={`/${url}`} alt="" width="24" height="24" /> : <span className="logo"><Icon name="plugins" /></span>
}
