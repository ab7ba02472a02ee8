namespace Serve.Runtime.CoreActors;

/// <summary>The services of a process that needs none but one activator; a container would take longer to build than an actor.</summary>
internal sealed class LocalServices(IActorActivator activator) : IServiceProvider
{
    public object? GetService(Type serviceType) => serviceType == typeof(IEnumerable<IActorActivator>) ? new[] { activator } : null;
}
