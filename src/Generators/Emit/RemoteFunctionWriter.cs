namespace Serve.Generators.Emit;

/// <summary>Implements <c>IRemoteFunction</c> for functions with one parameter, so that <c>ray.Map(ray.Demo.Square, items)</c> can invoke them for each item.</summary>
internal static class RemoteFunctionWriter
{
    /// <summary>Returns the interface that the struct implements; null for a function that cannot be mapped.</summary>
    public static string? InterfaceOf(RemoteCallerModel caller) =>
        caller.IsFunction && !caller.Method.IsStream && caller.Method.Arguments.Count() == 1
            ? $"global::Serve.IRemoteFunction<{caller.Method.Arguments.First().Type}, {caller.Result}>"
            : null;

    public static void Write(IndentedSourceWriter writer, RemoteCallerModel caller)
    {
        if (InterfaceOf(caller) is not { } contract)
            return;
        writer.Line($"global::Serve.RemoteFunction {contract}.Function => {caller.Struct}.__function;")
            .Line($"global::Serve.TaskOptions? {contract}.TaskOptions => this.__options;")
            .Open($"global::System.Threading.Tasks.ValueTask<{caller.Result}> {contract}.Invoke({caller.Method.Arguments.First().Type} item, global::System.Threading.CancellationToken stop)");
        foreach (var line in MethodCallWriter.Lines(caller, _ => "item", "return"))
            writer.Line(line);
        MethodCallWriter.WriteAwait(writer, caller);
        writer.Close();
    }
}
