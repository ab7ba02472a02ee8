using System.Reflection;
using System.Runtime.CompilerServices;
using Serve.Runtime.CoreActors;

namespace Serve.Runtime.Sessions;

/// <summary>A class of which code in workers creates actors, as the head knows it. Immutable.</summary>
internal sealed class NestedActor
{
    private static readonly MethodInfo Generic = typeof(NestedActor).GetMethod(nameof(ConstructAs), BindingFlags.NonPublic | BindingFlags.Static)!;

    // Weak, so that a collectible assembly can unload.
    private static readonly ConditionalWeakTable<Type, NestedActor> Known = [];

    private readonly Func<ConstructorInfo, object?[], ActorConstruct> construct;

    private NestedActor(Type type)
    {
        Defaults = type.GetCustomAttribute<RemoteAttribute>() ?? new();
        construct = Generic.MakeGenericMethod(type).CreateDelegate<Func<ConstructorInfo, object?[], ActorConstruct>>();
    }

    /// <summary>What its attribute says.</summary>
    public RemoteAttribute Defaults { get; }

    public static NestedActor Of(Type type) => Known.GetValue(type, static type => new(type));

    public ActorConstruct Construct(ConstructorInfo constructor, object?[] arguments) => construct(constructor, arguments);

    private static ActorConstruct<TActor> ConstructAs<TActor>(ConstructorInfo constructor, object?[] arguments)
        where TActor : class =>
        new(new NestedConstructor<TActor>(constructor, arguments));
}
