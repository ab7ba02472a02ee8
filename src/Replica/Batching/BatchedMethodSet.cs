using System.Reflection;
using System.Text.Json.Nodes;
using Serve.Replica.Definitions;
using Serve.Replica.Instances;
using Serve.Replica.Telemetry;
using Serve.Runtime;

namespace Serve.Replica.Batching;

/// <summary>The methods with <see cref="BatchAttribute"/> of one live object. Their settings are written by the replica, when it takes a <c>user_config</c>.</summary>
internal sealed class BatchedMethodSet : IUserConfigKey, IDisposable
{
    private readonly List<BatchedMethod> _methods;

    private BatchedMethodSet(List<BatchedMethod> methods) => this._methods = methods;

    public bool Any => _methods.Count > 0;

    public IReadOnlyList<BatchedMethod> All => _methods;

    /// <summary>How their calls are taken.</summary>
    public IEnumerable<QueuedActorMethod> Queued => _methods.Select(method => new QueuedActorMethod(method.Entry, method.Facade, method));

    /// <summary>Reads the object's class, which has been inspected, and makes the queues.</summary>
    public static BatchedMethodSet Of(object target, BatchMethodContext host, ReplicaMetrics metrics)
    {
        var declared = BatchMethodDefinition.Of(target.GetType(), []);
        return new([.. declared.Select(method =>
        {
            var counted = metrics.ForBatches(method.Method.Name);
            var made = BatchedMethod.Create(method, target, host, counted);
            counted.Length = () => made.Length;
            return made;
        })]);
    }

    /// <summary>The method of this declaration; null when it is not batched.</summary>
    public BatchedMethod? Find(MethodInfo declared) => _methods.Find(method => method.Name == declared.Name);

    /// <summary>Whether this is what callers of a batched method are bound to.</summary>
    public bool IsEntry(MethodInfo method) => _methods.Exists(batched => batched.Entry == method);

    /// <inheritdoc/>
    public string Name => BatchConfigParser.Key;

    /// <inheritdoc/>
    public Action Read(JsonNode? value)
    {
        var settings = BatchConfigParser.Read(value, _methods.ToDictionary(method => method.Name, method => method.Declared.Settings, StringComparer.Ordinal));
        return () =>
        {
            foreach (var method in _methods)
                method.Settings = settings[method.Name];
        };
    }

    public void Dispose()
    {
        foreach (var method in _methods)
            method.Dispose();
    }
}
