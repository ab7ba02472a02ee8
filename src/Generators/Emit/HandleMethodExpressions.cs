using Serve.Generators.Models;

namespace Serve.Generators.Emit;

/// <summary>Writes a method as <c>RemoteMethod</c> or <c>RemoteStream</c>: its type, and the lambda that calls it on an instance (null for batch methods, which are not called with a single item).</summary>
internal static class HandleMethodExpressions
{
    private const string ValueTask = "global::System.Threading.Tasks.ValueTask";

    /// <summary>Returns the result type; a method without a result returns null.</summary>
    public static string ResultOf(CallableMethodModel method) => method.Result ?? "object?";

    public static string TypeOf(DeploymentClassModel deployment, CallableMethodModel method)
    {
        var types = new[] { deployment.Type }.Concat(method.Arguments.Select(argument => argument.Type)).Append(ResultOf(method));
        return $"global::Serve.{(method.IsStream ? "RemoteStream" : "RemoteMethod")}<{string.Join(", ", types)}>";
    }

    public static string Lambda(CallableMethodModel method)
    {
        if (method.IsBatched)
            return "null";
        // The lambda's own parameter names cannot collide with the user's.
        var names = method.Parameters.Select((parameter, i) => parameter.Source switch
        {
            ParameterValueSource.Token => "stop",
            ParameterValueSource.Cluster => "global::Serve.Cluster.Current",
            _ => $"a{i}",
        }).ToList();
        var inputs = names.Where((_, i) => !method.Parameters[i].IsSupplied).ToList();
        var call = $"target.{DeploymentHandleWriter.Identifier(method.Name)}({string.Join(", ", names)})";
        var head = $"({string.Join(", ", inputs.Prepend("target").Append("stop"))}) =>";
        var result = ResultOf(method);
        return method.Shape switch
        {
            MethodReturnShape.Nothing => $"static {head} {{ {call}; return default({ValueTask}<object?>); }}",
            MethodReturnShape.Task => $"static async {head} {{ await {call}.ConfigureAwait(false); return null; }}",
            MethodReturnShape.Stream or MethodReturnShape.TaskOfStream => $"static {head} new {ValueTask}<global::System.Collections.Generic.IAsyncEnumerable<{result}>>({AsTask(method, call)})",
            _ => $"static {head} {Whole(method, call, result)}",
        };
    }

    private static string Whole(CallableMethodModel method, string call, string result) => method switch
    {
        { Shape: MethodReturnShape.TaskOfValue, IsValueTask: true } => call,
        _ => $"new {ValueTask}<{result}>({call})",
    };

    private static string AsTask(CallableMethodModel method, string call) =>
        method is { Shape: MethodReturnShape.TaskOfStream, IsValueTask: true } ? $"{call}.AsTask()" : call;
}
