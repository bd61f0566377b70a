/** The shape of a JSON value: which fields there are. The compiler tells it of a type, the reference writes it, a document has it. */

export type Shape =
  /** A text, a number or a boolean, also where it may be `null`. */
  | 'value'
  /** An object whose names are the user's. */
  | 'map'
  | { readonly list: Shape }
  | { readonly oneOf: readonly Shape[] }
  | { readonly fields: ReadonlyMap<string, Field>; readonly isNullable: boolean };

export interface Field {
  readonly shape: Shape;
  readonly isOptional: boolean;
}

/** As the reference writes shapes, with the names in the order of the alphabet. */
export function textOf(shape: Shape): string {
  if (shape === 'value') return '';
  if (shape === 'map') return '{}';
  if ('list' in shape) return `[${textOf(shape.list)}]`;
  if ('oneOf' in shape) return shape.oneOf.map(textOf).join(' or ');
  const fields = [...shape.fields].map(([name, field]) => {
    const text = textOf(field.shape);
    return `"${name}"${field.isOptional ? '?' : ''}${text === '' ? '' : `:${text}`}`;
  });
  return `{${fields.toSorted().join(',')}}${shape.isNullable ? '|null' : ''}`;
}

/** Where a value is not of a shape, as paths. */
export function misfits(value: unknown, shape: Shape, at = '$'): string[] {
  if (shape === 'map') return isObject(value) ? [] : [`${at} is no object`];
  if (shape === 'value') return isObject(value) || Array.isArray(value) ? [`${at} is no plain value`] : [];
  if ('list' in shape)
    return Array.isArray(value)
      ? value.flatMap((item, index) => misfits(item, shape.list, `${at}[${index}]`))
      : [`${at} is no list`];
  if ('oneOf' in shape)
    return shape.oneOf.some((one) => misfits(value, one, at).length === 0) ? [] : [`${at} is none of these`];
  if (value === null && shape.isNullable) return [];
  if (!isObject(value)) return [`${at} is no object`];
  return [
    ...Object.keys(value).flatMap((name) => (shape.fields.has(name) ? [] : [`${at}.${name} is not known`])),
    ...[...shape.fields].flatMap(([name, field]) => {
      if (name in value) return misfits(value[name], field.shape, `${at}.${name}`);
      return field.isOptional ? [] : [`${at}.${name} is missing`];
    }),
  ];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
