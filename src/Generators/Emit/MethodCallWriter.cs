using Serve.Generators.Models;

namespace Serve.Generators.Emit;

/// <summary>
/// Writes the call classes of one method: one for values, and one whose arguments may be references. Calls within the process neither box
/// nor reflect.
/// </summary>
internal static class MethodCallWriter
{
    private const string ValueTask = "global::System.Threading.Tasks.ValueTask";
    private const string Refs = "global::System.Collections.Generic.ICollection<global::Serve.ObjectRef>";

    public static void Write(IndentedSourceWriter writer, RemoteCallerModel caller)
    {
        WriteCall(writer, caller, caller.ValueCall, refs: false);
        if (caller.Method.Arguments.Any())
            WriteCall(writer, caller, caller.RefCall, refs: true);
    }

    private static void WriteCall(IndentedSourceWriter writer, RemoteCallerModel caller, string name, bool refs)
    {
        var fields = caller.Method.Arguments.Select((argument, i) => $"{(refs ? $"global::Serve.Arg<{argument.BareType}>" : argument.Type)} a{i}").ToList();
        writer.Line().Open($"internal sealed class {name} : global::Serve.Calls.MethodCall<{caller.CallResult}>");
        foreach (var field in fields)
            writer.Line($"private readonly {field};");
        writer.Open($"internal {name}({string.Join(", ", fields)})");
        for (var i = 0; i < fields.Count; i++)
            writer.Line($"this.a{i} = a{i};");
        writer.Close()
            .Line($"public override string Method => \"{caller.Wire}\";");
        if (refs)
            WriteRefs(writer, fields.Count);
        WriteInvoke(writer, caller, refs);
        writer.Line($"public override object?[] GetArguments() => {(fields.Count == 0 ? "global::System.Array.Empty<object?>()" : $"new object?[] {{ {string.Join(", ", fields.Select((_, i) => refs ? $"this.a{i}.Box()" : $"this.a{i}"))} }}")};")
            .Close();
    }

    private static void WriteRefs(IndentedSourceWriter writer, int count)
    {
        writer.Line("public override bool HasRefs => true;")
            .Open($"public override void CollectRefs({Refs} references)");
        for (var i = 0; i < count; i++)
            writer.Line($"if (this.a{i}.Reference is {{ }} r{i}) references.Add(r{i});");
        writer.Close();
    }

    private static void WriteInvoke(IndentedSourceWriter writer, RemoteCallerModel caller, bool refs)
    {
        writer.Open($"public override bool TryInvoke(object target, global::System.Threading.CancellationToken stop, out {ValueTask}<{caller.CallResult}> result)");
        if (caller.Target is { } target)
        {
            writer.Open($"if (target is not {target} actor)")
                .Line("result = default;")
                .Line("return false;")
                .Close();
        }

        writer.Open("try");
        foreach (var line in Lines(caller, i => $"this.a{i}{(refs ? ".Value" : "")}", "result ="))
            writer.Line(line);
        writer.Close()
            .Open("catch (global::System.Exception thrown)")
            .Line($"result = {ValueTask}.FromException<{caller.CallResult}>(thrown);")
            .Close()
            .Line("return true;");
        WriteAwait(writer, caller);
        writer.Close();
    }

    /// <summary>Writes the local function that <see cref="Lines"/> uses for methods that return a task without a result.</summary>
    public static void WriteAwait(IndentedSourceWriter writer, RemoteCallerModel caller)
    {
        if (caller.Method.Shape == MethodReturnShape.Task)
            writer.Line($"static async {ValueTask}<object?> Nothing({(caller.Method.IsValueTask ? ValueTask : "global::System.Threading.Tasks.Task")} task) {{ await task.ConfigureAwait(false); return null; }}");
    }

    /// <summary>Returns the statements that invoke the method.</summary>
    /// <param name="caller">The method.</param>
    /// <param name="argument">The expression of each of the caller's arguments.</param>
    /// <param name="give">What precedes the result's value task: an assignment or a return.</param>
    public static IEnumerable<string> Lines(RemoteCallerModel caller, Func<int, string> argument, string give)
    {
        var next = 0;
        var arguments = caller.Method.Parameters.Select(parameter => parameter.Source switch
        {
            ParameterValueSource.Token => "stop",
            ParameterValueSource.Cluster => "global::Serve.Cluster.Current",
            _ => argument(next++),
        });
        var call = $"{caller.Invoked}({string.Join(", ", arguments)})";
        return caller.Method switch
        {
            { Shape: MethodReturnShape.Nothing } when caller.Kind != RemoteCallerKind.Constructor => [$"{call};", $"{give} default;"],
            { Shape: MethodReturnShape.Task } => [$"{give} Nothing({call});"],
            { Shape: MethodReturnShape.TaskOfValue or MethodReturnShape.TaskOfStream, IsValueTask: true } => [$"{give} {call};"],
            _ => [$"{give} new {ValueTask}<{caller.CallResult}>({call});"],
        };
    }
}
