export function page(result: object): string;
export function intoPage(text: string, result: object): string;
