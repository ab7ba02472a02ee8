using Serve.Generators.Models;

namespace Serve.Generators.Emit;

/// <summary>Writes a dedicated struct for a method that <c>RemoteMethod</c> cannot express: default values, <c>params</c>, more than four parameters.</summary>
internal static class HandleMethodStructWriter
{
    private const string Timing = "global::System.TimeSpan? timeout = null, string? multiplexedModelId = null, string? requestId = null";

    public static bool IsNeeded(CallableMethodModel method) =>
        method.Arguments.Count() > DeploymentHandleWriter.MostArguments || method.Arguments.Any(argument => argument.Default is not null || argument.IsParams);

    public static string NameOf(CallableMethodModel method) => $"{method.Name}_{(method.IsStream ? "Stream" : "Method")}";

    public static void Write(IndentedSourceWriter writer, DeploymentClassModel deployment, CallableMethodModel method)
    {
        var name = NameOf(method);
        var byName = method.Arguments.Count() > DeploymentHandleWriter.MostArguments;
        var inner = byName ? "global::Serve.NamedMethod" : HandleMethodExpressions.TypeOf(deployment, method);
        var verb = method.IsStream ? "Stream" : "Remote";
        var result = HandleMethodExpressions.ResultOf(method);
        var returned = method.IsStream
            ? $"global::System.Collections.Generic.IAsyncEnumerable<{result}>"
            : $"global::Serve.DeploymentResponse<{result}>";
        var call = $"inner.{verb}{(byName ? $"<{result}>" : "")}";
        writer.Line()
            .Line($"/// <summary>The method <c>{method.Name}</c>.</summary>")
            .Open($"public readonly struct {name}")
            .Line($"private readonly {inner} inner;")
            .Line($"internal {name}({inner} inner) => this.inner = inner;")
            .Line("/// <summary>Calls the method.</summary>")
            .Line("[global::System.Runtime.CompilerServices.OverloadResolutionPriority(1)]")
            .Line($"public {returned} {verb}({string.Join(", ", method.Arguments.Select(Declare))}) => {call}({Pass(method, byName)});")
            .Line("/// <summary>Calls the method when the calls among its arguments have completed.</summary>")
            .Line($"public {returned} {verb}({string.Join(", ", method.Arguments.Select(argument => DeclareArg(method, argument)))}) => {call}({Pass(method, byName)});")
            .Line(method.IsStream ? "" : "/// <summary>Calls the method of every replica.</summary>")
            .Line(method.IsStream ? "" : $"public global::Serve.DeploymentResponse<global::System.Collections.Generic.IReadOnlyList<global::Serve.ReplicaResult<{result}>>> Broadcast({string.Join(", ", method.Arguments.Select(Declare))}) => inner.Broadcast{(byName ? $"<{result}>" : "")}({Pass(method, byName)});")
            .Line("/// <summary>Returns the method with other call options; omitted options keep their values.</summary>")
            .Line($"public {name} Options({Timing}) => new {name}(inner.Options(timeout, multiplexedModelId, requestId));")
            .Close();
    }

    private static string Declare(MethodParameterModel parameter) =>
        $"{(parameter.IsParams ? "params " : "")}{parameter.Type} {DeploymentHandleWriter.Identifier(parameter.Name)}{(parameter.Default is { } value ? $" = {value}" : "")}";

    private static string DeclareArg(CallableMethodModel method, MethodParameterModel parameter) =>
        method.Arguments.Count() == 1
            ? $"global::Serve.DeploymentResponse<{parameter.Type}> {DeploymentHandleWriter.Identifier(parameter.Name)}"
            : $"global::Serve.Arg<{parameter.Type}> {DeploymentHandleWriter.Identifier(parameter.Name)}";

    // Cast, because an array would otherwise be passed as the whole argument list.
    private static string Pass(CallableMethodModel method, bool byName) =>
        string.Join(", ", method.Arguments.Select(argument => (byName ? "(object?)" : "") + DeploymentHandleWriter.Identifier(argument.Name)));
}
