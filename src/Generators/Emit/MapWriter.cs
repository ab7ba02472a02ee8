using Serve.Generators.Models;

namespace Serve.Generators.Emit;

/// <summary>Writes what makes a function of one parameter fit for <c>ray.Map(ray.Demo.Square, items)</c>: its struct invokes it for one item, wherever the items are.</summary>
internal static class MapWriter
{
    private const string ValueTask = "global::System.Threading.Tasks.ValueTask";

    /// <summary>The interface that the struct implements; null for a function that cannot be mapped.</summary>
    public static string? InterfaceOf(Caller caller) =>
        caller.IsFunction && !caller.Method.IsStream && caller.Method.Arguments.Count() == 1
            ? $"global::Serve.IRemoteFunction<{caller.Method.Arguments.First().Type}, {caller.Result}>"
            : null;

    public static void Write(SourceWriter writer, Caller caller)
    {
        if (InterfaceOf(caller) is not { } contract)
            return;
        var arguments = caller.Method.Parameters.Select(parameter => parameter.Source switch
        {
            ParameterSource.Token => "stop",
            ParameterSource.Cluster => "global::Serve.Cluster.Current",
            _ => "item",
        });
        var call = $"{caller.Invoked}({string.Join(", ", arguments)})";
        writer.Line($"global::Serve.RemoteFunction {contract}.Function => {caller.Struct}.__function;")
            .Line($"global::Serve.TaskOptions? {contract}.TaskOptions => this.__options;")
            .Open($"{ValueTask}<{caller.Result}> {contract}.Invoke({caller.Method.Arguments.First().Type} item, global::System.Threading.CancellationToken stop)");
        foreach (var line in Lines(caller, call))
            writer.Line(line);
        writer.Close();
    }

    private static IEnumerable<string> Lines(Caller caller, string call) => caller.Method switch
    {
        { Shape: ReturnShape.Nothing } => [$"{call};", "return default;"],
        { Shape: ReturnShape.Task } =>
        [
            $"return Nothing({call});",
            $"static async {ValueTask}<object?> Nothing({(caller.Method.IsValueTask ? ValueTask : "global::System.Threading.Tasks.Task")} task) {{ await task.ConfigureAwait(false); return null; }}",
        ],
        { Shape: ReturnShape.TaskOfValue, IsValueTask: true } => [$"return {call};"],
        _ => [$"return new {ValueTask}<{caller.Result}>({call});"],
    };
}
