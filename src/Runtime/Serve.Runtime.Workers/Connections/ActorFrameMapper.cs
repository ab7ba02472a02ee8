using Serve.Runtime.Actors;
using Serve.Runtime.Wire;

namespace Serve.Runtime.Workers.Connections;

/// <summary>Describes actors and their classes in frames.</summary>
internal static class ActorFrameMapper
{
    /// <summary>Describes a class so that the peer can find it; a generic class by its definition and its arguments, which may be from other assemblies.</summary>
    public static Function Name(Type type)
    {
        var isGeneric = type.IsConstructedGenericType;
        var named = new Function { Assembly = type.Assembly.FullName, Path = type.Assembly.Location, Type = isGeneric ? type.GetGenericTypeDefinition().FullName : type.FullName };
        if (isGeneric)
            named.Arguments.AddRange(type.GetGenericArguments().Select(Name));
        return named;
    }

    public static Actor ToWire(ActorId id, Type type, ResolvedActorOptions settings)
    {
        var actor = new Actor
        {
            ActorId = id.Value,
            Type = Name(type),
            Concurrency = (int)settings.Concurrency,
            MaxConcurrency = settings.MaxConcurrency,
        };
        actor.Groups.Add(settings.Groups);
        return actor;
    }
}
