"""Emitting one blocking file: the public members of an async one, each in one line that drives it."""

from __future__ import annotations

import ast
from collections.abc import Collection

from . import _rules as rules


class UnknownShape(Exception):
    """The source has something that this tool has no rule for."""


class Renamer(ast.NodeTransformer):
    """Turns async names in annotations into blocking ones, and remembers which it met."""

    def __init__(self) -> None:
        self.used: set[str] = set()

    def visit_Name(self, node: ast.Name) -> ast.Name:
        if node.id in rules.RENAMES:
            self.used.add(node.id)
            return ast.Name(rules.RENAMES[node.id], node.ctx)
        return node


class Source:
    """One parsed file."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.text = (rules.SOURCE / name).read_text(encoding="utf-8")
        self.tree = ast.parse(self.text)

    @property
    def module(self) -> str:
        """The name to import it by."""
        return self.name.removesuffix(".py")

    def functions(self) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
        """Return the public functions."""
        kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
        return [node for node in self.tree.body if isinstance(node, kinds) and not node.name.startswith("_")]

    def find(self, wanted: str | None) -> ast.ClassDef | ast.FunctionDef:
        """Return the class or function of this name, or the only class of the file."""
        for node in self.tree.body:
            if isinstance(node, (ast.ClassDef, ast.FunctionDef)) and wanted in (None, node.name):
                return node
        raise UnknownShape(f"{rules.SOURCE / self.name}: there is no {wanted or 'class'}")


class Generator:
    """Emits one target file."""

    def __init__(self, face: rules.Face, renamer: Renamer) -> None:
        self.face = face
        self.renamer = renamer
        self.parts = [Source(name) for name in face.parts]
        self.main = Source(face.name)
        self.current = self.main  # whose members are being emitted

    def run(self) -> str:
        """Return the text of the target file."""
        if self.face.source:
            found = self.main.find(self.face.source)
            self.renamer.used.add(self.face.source)
            emitted = self._class(found) if isinstance(found, ast.ClassDef) else self._function(found)
        else:
            emitted = "\n\n".join(self._driven(node) for node in self.main.functions())
        return rules.HEADER.format(name=self.face.name) + self._head() + emitted

    def _head(self) -> str:
        """Return the docstring and all imports that may be needed; unused ones go later."""
        lines = [f'"""The blocking twin of ``_async/{self.face.name}``."""', ""]
        body = [node for source in (self.main, *self.parts) for node in source.tree.body]
        for node in body:
            if isinstance(node, ast.ImportFrom) and node.level == 1:
                node.module, node.level = f"_async.{node.module}", 2
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                lines.append(ast.unparse(node))
        own = f"from .{self.face.name.removesuffix('.py')} "
        lines += [line for line in rules.IMPORTS.splitlines() if not line.startswith(own)]
        lines.append(f"from .._async import {self.face.source or self.main.module}")
        lines += [ast.unparse(node) for node in body if _is_type_variable(node)]
        return "\n".join(lines) + "\n\n\n"

    def _function(self, node: ast.FunctionDef) -> str:
        signature = self._signature(node, self.face.target, drop_self=False)
        call = f"Store._wrap({self.face.source}({_arguments(node.args, drop_self=False)}))"
        return f"{signature}\n    {self._doc(node)}\n    return {call}\n"

    def _driven(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
        """Emit a function of the same name, with the stores that it is given opened up."""
        signature = self._signature(node, node.name, drop_self=False)
        stores = {argument.arg for argument in node.args.args if _is_store(argument.annotation)}
        call = f"{self.main.module}.{node.name}({_arguments(node.args, drop_self=False, opened=stores)})"
        if isinstance(node, ast.AsyncFunctionDef):
            call = f"drive({call})"
        outer = _outer(node.returns)
        wrapped = rules.WRAPS.get(outer.id if outer else "", "{}").format(call)
        return f"{signature}\n    {self._doc(node)}\n    return {wrapped}\n"

    # -- classes -----------------------------------------------------------------

    def _class(self, node: ast.ClassDef) -> str:
        base = "(io.RawIOBase)" if self.face.raw else ""
        parts = [f"class {self.face.target}{base}:\n    {self._doc(node)}\n"]
        if self.face.raw:
            parts.append(
                f"    def __init__(self, inner: {self.face.source}) -> None:\n        self._inner = inner\n"
            )
        for source in (*self.parts, self.main):
            self.current = source
            found = source.find(self.face.source if source is self.main else None)
            parts += [self._in_class(member) for member in found.body]
        return "\n".join(part for part in parts if part)

    def _in_class(self, member: ast.stmt) -> str:
        if isinstance(member, (ast.FunctionDef, ast.AsyncFunctionDef)):
            return self._constructor(member) if member.name == "__init__" else self._member(member)
        if isinstance(member, (ast.Expr, ast.Pass)):
            return ""
        raise self._unknown(member, "a class body may hold methods only")

    def _constructor(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
        if self.face.raw:
            return ""  # made from the async stream, never by a user
        source = self.face.source
        signature = self._signature(node, "__init__")
        made = f"    {signature}\n        self._inner = {source}({_arguments(node.args)})\n"
        return made + (rules.WRAP.format(source=source) if source == "AsyncStore" else "")

    def _member(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
        name = node.name
        if name in self.face.skip or (name.startswith("_") and not name.startswith("__")):
            return ""
        decorators = [ast.unparse(decorator) for decorator in node.decorator_list]
        if decorators not in ([], ["property"]):
            raise self._unknown(node, f"no rule for the decorators {decorators}")
        prefix = "    @property\n" if decorators else ""
        undocumented = name.startswith("__") and not ast.get_docstring(node)
        doc = "" if undocumented else f"        {self._doc(node)}\n"
        signature = self._signature(node, rules.METHODS.get(name, name))
        return f"{prefix}    {signature}\n{doc}{self._body(node, bool(decorators))}"

    def _body(self, node: ast.FunctionDef | ast.AsyncFunctionDef, is_property: bool) -> str:
        name = node.name
        if name in rules.DUNDERS:
            line = rules.DUNDERS[name].format(cls=self.face.target, source=self.face.source)
            return f"        {line}\n"
        if name.startswith("__") and name not in rules.METHODS:
            raise self._unknown(node, f"no rule for {name}")
        call = f"self._inner.{name}" + ("" if is_property else f"({_arguments(node.args)})")
        if isinstance(node, ast.AsyncFunctionDef):
            call = f"drive({call})"
        if name == "aclose" and self.face.raw:
            return rules.CLOSE.format(call)
        if name == "__aexit__" and self.face.raw:
            return rules.EXIT.format(call)
        if name == "__aenter__":
            return f"        {call}\n        return self\n"
        outer = _outer(node.returns)
        wrap = rules.WRAPS.get(outer.id if outer else "", "{}")
        keyword = "" if ast.unparse(node.returns or ast.Constant(None)) == "None" else "return "
        return f"        {keyword}{wrap.format(call)}\n"

    # -- pieces ------------------------------------------------------------------

    def _signature(
        self, node: ast.FunctionDef | ast.AsyncFunctionDef, name: str, *, drop_self: bool = True
    ) -> str:
        if node.returns is None or (drop_self and not node.args.args):
            raise self._unknown(node, "every method needs self and a return annotation")
        self._refuse_hidden(node)
        # A fresh copy: the wrapping looks at the annotation before it is renamed.
        copy = ast.parse(
            ast.unparse(node).replace("async def", "def", 1).split("\n", len(node.decorator_list))[-1]
        )
        function = copy.body[0]
        assert isinstance(function, ast.FunctionDef)
        assert function.returns is not None
        self.renamer.visit(function.args)
        returns = self.renamer.visit(function.returns)
        return f"def {name}({ast.unparse(function.args)}) -> {ast.unparse(returns)}:"

    def _refuse_hidden(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        """Stop at what would come out unchanged, and wrong."""
        if any(isinstance(inner, (ast.Yield, ast.YieldFrom)) for inner in ast.walk(node)):
            raise self._unknown(node, "no rule for a generator; return a Listing")
        outer = _outer(node.returns)
        for inner in (*ast.walk(node.args), *ast.walk(node.returns or ast.Constant(None))):
            if isinstance(inner, ast.Constant) and inner.value in rules.RENAMES:
                raise self._unknown(node, f"no rule for {inner.value!r} in quotes")
            ruled = (inner is outer and outer.id in rules.WRAPS) or (
                self.face.source == "" and _is_store(inner)
            )
            if isinstance(inner, ast.Name) and inner.id in rules.ASYNC_ONLY and not ruled:
                raise self._unknown(node, f"no rule for {inner.id} inside an annotation or as a parameter")

    def _doc(self, node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> str:
        text = ast.get_source_segment(self.current.text, node.body[0])
        if ast.get_docstring(node) is None or text is None:
            raise self._unknown(node, "a public name needs a docstring")
        return text

    def _unknown(self, node: ast.stmt, why: str) -> UnknownShape:
        return UnknownShape(f"{rules.SOURCE / self.current.name}:{node.lineno}: {why}")


def _arguments(arguments: ast.arguments, *, drop_self: bool = True, opened: Collection[str] = ()) -> str:
    """Return the call that passes a signature's parameters on, some of them opened up before."""
    positional = [
        f"inner({argument.arg})" if argument.arg in opened else argument.arg
        for argument in (*arguments.posonlyargs, *arguments.args)
    ]
    parts = positional[1:] if drop_self else positional
    if arguments.vararg is not None:
        parts.append(f"*{arguments.vararg.arg}")
    parts += [f"{argument.arg}={argument.arg}" for argument in arguments.kwonlyargs]
    if arguments.kwarg is not None:
        parts.append(f"**{arguments.kwarg.arg}")
    return ", ".join(parts)


def _outer(annotation: ast.expr | None) -> ast.Name | None:
    """Return the ``Listing`` of ``Listing[FileInfo]``, and a plain name as it is."""
    if isinstance(annotation, ast.Subscript):
        annotation = annotation.value
    return annotation if isinstance(annotation, ast.Name) else None


def _is_store(annotation: ast.AST | None) -> bool:
    return isinstance(annotation, ast.Name) and annotation.id == "AsyncStore"


def _is_type_variable(node: ast.stmt) -> bool:
    return isinstance(node, ast.Assign) and ast.unparse(node.value).startswith("TypeVar(")
