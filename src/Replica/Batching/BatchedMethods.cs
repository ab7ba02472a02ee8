using System.Reflection;
using System.Text.Json.Nodes;
using Serve.Replica.Definitions;
using Serve.Replica.Instances;
using Serve.Replica.Telemetry;
using Serve.Runtime;

namespace Serve.Replica.Batching;

/// <summary>The methods with <see cref="BatchAttribute"/> of one live object. Their settings are written by the replica, when it takes a <c>user_config</c>.</summary>
internal sealed class BatchedMethods : IConfigKey, IDisposable
{
    private readonly List<BatchedMethod> methods;

    private BatchedMethods(List<BatchedMethod> methods) => this.methods = methods;

    public bool Any => methods.Count > 0;

    public IReadOnlyList<BatchedMethod> All => methods;

    /// <summary>How their calls are taken.</summary>
    public IEnumerable<QueuedMethod> Queued => methods.Select(method => new QueuedMethod(method.Entry, method.Facade, method));

    /// <summary>Reads the object's class, which has been inspected, and makes the queues.</summary>
    public static BatchedMethods Of(object target, BatchHost host, ReplicaMetrics metrics)
    {
        var declared = BatchMethod.Of(target.GetType(), []);
        return new([.. declared.Select(method =>
        {
            var counted = metrics.ForBatches(method.Method.Name);
            var made = BatchedMethod.Create(method, target, host, counted);
            counted.Length = () => made.Length;
            return made;
        })]);
    }

    /// <summary>The method of this declaration; null when it is not batched.</summary>
    public BatchedMethod? Find(MethodInfo declared) => methods.Find(method => method.Name == declared.Name);

    /// <summary>Whether this is what callers of a batched method are bound to.</summary>
    public bool IsEntry(MethodInfo method) => methods.Exists(batched => batched.Entry == method);

    /// <inheritdoc/>
    public string Name => BatchConfig.Key;

    /// <inheritdoc/>
    public Action Read(JsonNode? value)
    {
        var settings = BatchConfig.Read(value, methods.ToDictionary(method => method.Name, method => method.Declared.Settings, StringComparer.Ordinal));
        return () =>
        {
            foreach (var method in methods)
                method.Settings = settings[method.Name];
        };
    }

    public void Dispose()
    {
        foreach (var method in methods)
            method.Dispose();
    }
}
