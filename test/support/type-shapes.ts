/** The shapes of types, as the compiler understands them. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { API, SymbolFlags, type Type, TypeFlags } from 'typescript/unstable/sync';
import { root } from './project.ts';
import type { Field, Shape } from './shape.ts';

/** The shape of each member of an exported interface, as the compiler understands it. */
export function shapesOfMembers(file: string, name: string): ReadonlyMap<string, Shape> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'dynpart-shapes-'));
  const config = path.join(folder, 'tsconfig.json');
  fs.writeFileSync(
    config,
    JSON.stringify({
      extends: path.join(root, 'tsconfig.json'),
      compilerOptions: { types: [], paths: {} },
      include: [],
      files: [path.join(root, file)],
    }),
  );
  const api = new API({ cwd: root });
  try {
    const project = api.updateSnapshot({ openProject: config }).getProjects()[0]!;
    const { checker, program } = project;
    const module = checker.getSymbolAtLocation(program.getSourceFile(path.join(root, file))!)!;
    const found = checker.getExportsOfModule(module).find((symbol) => symbol.name === name)!;
    const shapeOf = (type: Type): Shape => {
      const all = type.isUnionType() ? type.getTypes() : [type];
      const present = all.filter(({ flags }) => (flags & (TypeFlags.Null | TypeFlags.Undefined)) === 0);
      // What may be a text as well as an object is any JSON: of the user's, and of no shape.
      if (present.some(({ flags }) => (flags & TypeFlags.Object) === 0)) return 'value';
      const isNullable = all.some(({ flags }) => (flags & TypeFlags.Null) !== 0);
      const shapes = present.map((one) => shapeOfObject(one, isNullable));
      return shapes.length === 1 ? shapes[0]! : { oneOf: shapes };
    };
    const shapeOfObject = (type: Type, isNullable: boolean): Shape => {
      if (checker.isArrayType(type))
        return {
          list: shapeOf(checker.getTypeArguments(type as Parameters<typeof checker.getTypeArguments>[0])[0]!),
        };
      if (checker.getIndexInfosOfType(type).length > 0) return 'map';
      const fields = checker.getPropertiesOfType(type).map((field): [string, Field] => [
        field.name,
        {
          shape: shapeOf(checker.getTypeOfSymbol(field)!),
          isOptional: (field.flags & SymbolFlags.Optional) !== 0,
        },
      ]);
      return { fields: new Map(fields), isNullable };
    };
    const members = checker.getPropertiesOfType(checker.getDeclaredTypeOfSymbol(found));
    return new Map(members.map((member) => [member.name, shapeOf(checker.getTypeOfSymbol(member)!)]));
  } finally {
    api.close();
    fs.rmSync(folder, { recursive: true });
  }
}
