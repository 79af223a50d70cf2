// The layers of a service in their order: defaults, templates from left to right with what they extend before them,
// the service itself. Unknown templates and circles are found here.

import type { Problems } from './problem.js';
import { didYouMean } from './suggest.js';
import { type Dict, inLayer, type Layer, type Tree, valueAt } from './tree.js';

export interface Layers {
  readonly defaults: Dict | null;
  readonly templates: ReadonlyMap<string, Dict>;
}

/** Lowest first; each template once. Undefined when a template is unknown or the templates go round in a circle. */
export function layersOf(name: string, own: Dict, layers: Layers, problems: Problems): readonly Dict[] | undefined {
  const templates = templatesOf(`services.${name}`, own, [], layers.templates, problems);
  if (templates === undefined) return undefined;
  const defaults = layers.defaults === null ? [] : [stamped(layers.defaults, { type: 'defaults' })];
  return [...defaults, ...templates, stamped(own, { type: 'service' })];
}

/** Finds what is wrong in templates that no service may ever ask for. */
export function checkTemplates(templates: ReadonlyMap<string, Dict>, problems: Problems): void {
  for (const [name, tree] of templates) templatesOf(`templates.${name}`, tree, [name], templates, problems);
}

function templatesOf(
  key: string,
  own: Dict,
  from: readonly string[],
  templates: ReadonlyMap<string, Dict>,
  problems: Problems,
): readonly Dict[] | undefined {
  const order = new Map<string, Dict>();
  let isWhole = true;
  const visit = (tree: Dict, at: string, path: readonly string[]): void => {
    for (const { name, tree: place } of extended(tree)) {
      const template = templates.get(name);
      if (template === undefined || path.includes(name)) {
        isWhole = false;
        const circle = path.slice(path.indexOf(name));
        if (template === undefined)
          problems.report(place.at, `${at}.extends`, unknownTemplate(name, [...templates.keys()]));
        // A circle is met once from each of its templates, and told once.
        else if (circle.every((other) => name <= other))
          problems.report(place.at, `${at}.extends`, circleText([...circle, name]));
        continue;
      }
      // The first place counts: a base that two templates share must not undo what the first of them says.
      if (order.has(name)) continue;
      visit(template, `templates.${name}`, [...path, name]);
      order.set(name, stamped(template, { type: 'template', name }));
    }
  };
  visit(own, key, from);
  return isWhole ? [...order.values()] : undefined;
}

const circleText = (names: readonly string[]): string =>
  `templates extend one another in a circle: ${names.join(' → ')}; take one \`extends\` out`;

function extended(tree: Dict): readonly { readonly name: string; readonly tree: Tree }[] {
  const names = valueAt(tree, 'extends');
  if (names?.type !== 'list') return [];
  return names.items.flatMap((item) => (item.type === 'leaf' ? [{ name: item.text, tree: item }] : []));
}

const stamped = (tree: Dict, layer: Layer): Dict => inLayer(tree, layer) as Dict;

function unknownTemplate(name: string, known: readonly string[]): string {
  const hint = didYouMean(name, known);
  const others = known.length === 0 ? '; there are no templates' : `; known are ${known.join(', ')}`;
  return `unknown template ${JSON.stringify(name)}${hint === '' ? others : hint}`;
}
