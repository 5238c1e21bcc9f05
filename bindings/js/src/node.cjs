// The entry for `require`: the package is made of ES modules, which CommonJS can only load asynchronously.

exports.open = async (...args) => (await import("./node.js")).open(...args);
