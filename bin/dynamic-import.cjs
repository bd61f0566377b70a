'use strict';
// Code that was compiled at an earlier start cannot import anything: V8 does not keep who would do it. This file is never kept.
/** @param {string} name a package, a URL, or `./` and a file of `dist` */
module.exports = (name) => import(name.startsWith('./') ? `../dist/${name.slice(2)}` : name);
