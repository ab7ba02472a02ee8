using Serve.Runtime.Wire;

namespace Serve.Runtime.CoreActors;

/// <summary>Actors in the frames of a session.</summary>
internal static class WireActors
{
    /// <summary>The run that makes an actor.</summary>
    public const string Construct = ".ctor";

    /// <summary>The run that disposes it.</summary>
    public const string End = "~";

    public static Actor ToWire(ActorId id, Type type, ActorSettings settings)
    {
        var actor = new Actor
        {
            ActorId = id.Value,
            Type = new() { Assembly = type.Assembly.FullName, Path = type.Assembly.Location, Type = type.FullName },
            Concurrency = (int)settings.Concurrency,
            MaxConcurrency = settings.MaxConcurrency,
        };
        actor.Groups.Add(settings.Groups);
        return actor;
    }
}
