namespace Serve;

/// <summary>Creates handles.</summary>
public static class HandleFactoryExtensions
{
    extension(IHandleFactory factory)
    {
        /// <summary>Returns a handle that calls by method name.</summary>
        /// <param name="deployment">The deployment's name, or an application's name for its ingress.</param>
        /// <param name="application">The application; null if the name is unique, or belongs to the caller's own application.</param>
        /// <returns>The handle. Each call looks the deployment up, so it may be deployed later.</returns>
        public DeploymentHandle GetHandle(string deployment, string? application = null) =>
            new(factory.GetTarget(deployment, application), deployment);

        /// <summary>Returns a handle that calls through the deployment's class.</summary>
        /// <typeparam name="TDeployment">The class. The deployment's name is the name in its attribute, or the class name.</typeparam>
        /// <param name="application">The application; null if the name is unique, or belongs to the caller's own application.</param>
        /// <returns>The handle. Each call looks the deployment up, so it may be deployed later.</returns>
        public DeploymentHandle<TDeployment> GetHandle<TDeployment>(string? application = null)
            where TDeployment : class
        {
            var name = DeploymentAttribute.NameOf(typeof(TDeployment));
            return new(factory.GetTarget(name, application), name);
        }
    }
}
