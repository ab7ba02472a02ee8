using System.Reflection;
using System.Runtime.CompilerServices;
using Serve.Runtime.Actors;

namespace Serve.Runtime.Workers.Connections;

/// <summary>Actor class that code in workers instantiates, resolved in the driver. Immutable.</summary>
internal sealed class NestedActorClass
{
    private static readonly MethodInfo Generic = typeof(NestedActorClass).GetMethod(nameof(ConstructAs), BindingFlags.NonPublic | BindingFlags.Static)!;

    // Weak, so that a collectible assembly can unload.
    private static readonly ConditionalWeakTable<Type, NestedActorClass> Known = [];

    private readonly Func<ConstructorInfo, object?[], ActorInstanceFactory> _construct;

    private NestedActorClass(Type type)
    {
        Defaults = type.GetCustomAttribute<RemoteAttribute>() ?? new();
        _construct = Generic.MakeGenericMethod(type).CreateDelegate<Func<ConstructorInfo, object?[], ActorInstanceFactory>>();
    }

    /// <summary>Options of its attribute.</summary>
    public RemoteAttribute Defaults { get; }

    public static NestedActorClass Of(Type type) => Known.GetValue(type, static type => new(type));

    public ActorInstanceFactory Construct(ConstructorInfo constructor, object?[] arguments) => _construct(constructor, arguments);

    private static ActorInstanceFactory<TActor> ConstructAs<TActor>(ConstructorInfo constructor, object?[] arguments)
        where TActor : class =>
        new(new NestedConstructorCall<TActor>(constructor, arguments));
}
