using System.Reflection;
using System.Text.Json.Nodes;
using Serve.Replica.Definitions;
using Serve.Replica.Instances;
using Serve.Replica.Telemetry;
using Serve.Runtime;

namespace Serve.Replica.Batching;

/// <summary>All methods with <see cref="BatchAttribute"/> of a live object. Their settings change with the <c>user_config</c>.</summary>
internal sealed class BatchedMethodSet : IUserConfigKey, IDisposable
{
    private readonly List<BatchedMethod> _methods;

    private BatchedMethodSet(List<BatchedMethod> methods) => _methods = methods;

    public bool Any => _methods.Count > 0;

    public IReadOnlyList<BatchedMethod> All => _methods;

    /// <summary>Entries of the method table.</summary>
    public IEnumerable<QueuedActorMethod> Queued => _methods.Select(method => new QueuedActorMethod(method.Entry, method.Facade, method));

    /// <summary>Creates the queues for the methods of an object, whose class has been inspected.</summary>
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

    /// <summary>Finds the batched method of a declaration; null if the method is not batched.</summary>
    public BatchedMethod? Find(MethodInfo declared) => _methods.Find(method => method.Name == declared.Name);

    /// <summary>Returns whether a method is the entry of a batched method.</summary>
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
