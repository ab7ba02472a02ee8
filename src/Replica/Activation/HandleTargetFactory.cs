using Microsoft.Extensions.DependencyInjection;
using Serve.Calls;

namespace Serve.Replica.Activation;

/// <summary>Finds what a replica's handles call, through the process's router.</summary>
internal static class HandleTargetFactory
{
    public static ICallTarget Of(IServiceProvider process, string deployment, string application) =>
        (process.GetService<IHandleFactory>() ?? throw new InvalidOperationException(
            $"This process has no router, so a handle to {application}/{deployment} cannot be made.")).GetTarget(deployment, application);
}
